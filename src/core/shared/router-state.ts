import * as z from 'zod'
import { Ejection } from './ejection.ts'
import { ListenAddress } from './listen-address.ts'
import { Problem } from './problem.ts'
import { RouteSet } from './routes.ts'
import { Closed } from './side-routes.ts'
import { FencingToken } from './token.ts'

/** What a drain had to cut, so that nobody has to guess. */
export const CutRequest = z.object({
  route: z.string(),
  kind: z.enum(['request', 'websocket', 'stream']),
  ageMs: z.number().nonnegative(),
})
export type CutRequest = z.infer<typeof CutRequest>

/** What one instance is doing for the data plane right now. */
export const InstanceTraffic = z.object({
  id: z.string(),
  release: z.string(),
  inFlight: z.int().nonnegative(),
  websockets: z.int().nonnegative(),
  /** Set while the instance drains and after; `done` when nothing is left. The cut list keeps the first 100. */
  drain: z
    .object({ done: z.boolean(), sinceMs: z.number(), cut: z.array(CutRequest), cutTotal: z.int() })
    .nullable(),
  /** Absent while it gets requests like the others. */
  ejected: Ejection.exactOptional(),
})
export type InstanceTraffic = z.infer<typeof InstanceTraffic>

/** The certificate in use: its end in ms since the epoch, and the names it is for. */
export const ShownCertificate = z.object({
  validUntil: z.number(),
  names: z.array(z.string()),
  problem: Problem.nullable(),
})
export type ShownCertificate = z.infer<typeof ShownCertificate>

/** The truth about one service as read back from the data plane, never as remembered by the controller. */
export const RouterState = z.object({
  service: z.string(),
  boot: z.string(),
  /** Token of the routes in force; `null` when this service is unknown to the data plane. */
  token: FencingToken.nullable(),
  listening: z.object({ host: z.string(), port: z.int() }).nullable(),
  sets: z.array(RouteSet),
  /** The preview address: where it listens, or why it does not. Absent where none was asked for. */
  preview: z.object({ listening: ListenAddress.nullable(), problem: Problem.nullable() }).exactOptional(),
  /** What clients are shown, and what is wrong with it or with the files that should follow. Absent without TLS. */
  certificate: ShownCertificate.exactOptional(),
  instances: z.array(InstanceTraffic),
  /** Everybody is turned away, as the routes say. Absent otherwise. */
  closed: Closed.exactOptional(),
  /** Requests turned away by `limits` of the service since the data plane started, by the limit. Absent where none are set. */
  limited: z.object({ requests: z.int().nonnegative(), rate: z.int().nonnegative() }).exactOptional(),
  /** Set when the data plane returned traffic to stable by itself because no controller spoke to it. */
  reverted: z.object({ at: z.number(), fromWeights: z.record(z.string(), z.int()) }).nullable(),
})
export type RouterState = z.infer<typeof RouterState>
