import * as z from 'zod'
import { Entry } from './entry.ts'
import { ListenAddress } from './listen-address.ts'
import { RequestPolicy } from './request-policy.ts'
import { SideRoutes } from './side-routes.ts'
import { FencingToken } from './token.ts'
import { TOTAL_PERMILLE, WeightPermille } from './weight.ts'

/** One running copy of a release, where the data plane reaches it. */
export const RouteInstance = z.object({
  id: z.string(),
  host: z.string(),
  port: z.int().min(1).max(65535),
  /** `active` takes new requests; `draining` only finishes what it has. */
  state: z.enum(['active', 'draining']),
})
export type RouteInstance = z.infer<typeof RouteInstance>

/** All instances of one release and their joint share of traffic. */
export const RouteSet = z.object({
  /** Release id, unique for the service (`shop@1.1.0#3f9a`). */
  release: z.string(),
  /** The version as people say it (`1.1.0`). Several releases may carry the same version. */
  version: z.string(),
  weightPermille: WeightPermille,
  instances: z.array(RouteInstance),
})
export type RouteSet = z.infer<typeof RouteSet>

/** What the data plane does when no controller has spoken to it for a while. */
export const ControllerLossPolicy = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hold') }),
  z.object({ kind: z.literal('revert'), afterMs: z.int().positive() }),
])
export type ControllerLossPolicy = z.infer<typeof ControllerLossPolicy>

export const DrainLimits = z.object({
  /** A running request may go on this long after its instance began to drain. */
  requestsMs: z.int().nonnegative(),
  /** Long-lived connections (WebSocket, server-sent events) are closed gracefully, spread over this time. */
  websocketsMs: z.int().nonnegative(),
})
export type DrainLimits = z.infer<typeof DrainLimits>

/**
 * Everything the data plane must know about one service. Complete and valid by itself, absolute, never a delta.
 * Weights add up to 1000, or to 0 where the service is closed; a set with weight has at least one active instance, and so has one that a rule or the preview names.
 */
export const ServiceRoutes = z
  .object({
    service: z.string(),
    token: FencingToken,
    listen: ListenAddress,
    /** Which requests at this address are those of the service, and its certificate. */
    ...Entry.shape,
    /** Release id that a controller-loss revert sends everything to. */
    stable: z.string().nullable(),
    sets: z.array(RouteSet),
    drain: DrainLimits,
    /** An instance that joins others of its release grows to its full share over this time; 0 gives it all at once. */
    slowStartMs: z.int().nonnegative().default(0),
    onControllerLoss: ControllerLossPolicy,
    /** Secret value of the `sluice-probe` header: requests that carry it are served but never counted. */
    probeKey: z.string(),
    ...SideRoutes.shape,
    ...RequestPolicy.shape,
  })
  .refine(
    ({ sets, closed }) => sets.length === 0 || sumOfWeights(sets) === (closed === null ? TOTAL_PERMILLE : 0),
    'weights must add up to 1000, or to 0 where the service is closed',
  )
  .refine(
    (routes) => routes.sets.every(hasCapacityForItsWeight),
    'a set with weight needs an active instance',
  )
  .refine(
    ({ sets, rules }) => rules.every(({ release }) => isServed(sets, release)),
    'a rule needs a set with an active instance',
  )
  .refine(
    ({ sets, preview }) => preview === null || preview.release === null || isServed(sets, preview.release),
    'the preview needs a set with an active instance',
  )
  .refine(
    ({ sets, mirror }) => mirror === null || isServed(sets, mirror.release),
    'a mirror needs a set with an active instance',
  )
export type ServiceRoutes = z.infer<typeof ServiceRoutes>

const sumOfWeights = (sets: readonly RouteSet[]): number =>
  sets.reduce((sum, set) => sum + set.weightPermille, 0)
const hasCapacityForItsWeight = (set: RouteSet): boolean => set.weightPermille === 0 || hasActive(set)
const isServed = (sets: readonly RouteSet[], release: string): boolean =>
  sets.some((set) => set.release === release && hasActive(set))

/** Somebody in it takes new requests. */
export const hasActive = ({ instances }: RouteSet): boolean =>
  instances.some(({ state }) => state === 'active')
