import type { HttpBindings } from '@hono/node-server'
import type { Caller } from '../operations/operation.ts'

/** What a request carries through the routes: Node's own objects, and who calls (set by the gate of its door). */
export type AppEnv = { Bindings: HttpBindings; Variables: { caller: Caller } }
