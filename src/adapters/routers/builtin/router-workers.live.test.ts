import { routerConformance } from '../../../testkit/conformance/router.ts'
import { builtinSetup } from './builtin.test.kit.ts'

routerConformance('builtin, two processes', () => builtinSetup({ processes: 2 }))
