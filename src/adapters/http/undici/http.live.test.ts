import { httpConformance } from '../../../testkit/conformance/http.ts'
import { createHttpClient } from './http.ts'

httpConformance('undici', (now) => createHttpClient({ now }))
