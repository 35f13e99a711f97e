import * as z from 'zod'
import { ListenAddress } from './listen-address.ts'
import { MirrorRoute } from './mirror.ts'
import { WeightPermille } from './weight.ts'

/** An address of its own for looking at a release; what is sent there is no live traffic. `null`: nobody could answer. */
export const PreviewRoute = z.object({ listen: ListenAddress, release: z.string().nullable() })
export type PreviewRoute = z.infer<typeof PreviewRoute>

const Place = { in: z.enum(['header', 'cookie']), name: z.string().min(1).max(100) }

/** What a request carries. Names of headers in any case, values exactly as they stand. */
export const RequestMatch = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('exact'), ...Place, value: z.string() }),
  /** `*` stands for any characters, also none (`pattern.ts`). */
  z.object({ kind: z.literal('pattern'), ...Place, pattern: z.string() }),
])
export type RequestMatch = z.infer<typeof RequestMatch>

/** Requests that match go to this release before the weights are asked. The first rule that matches decides. */
export const RouteRule = z.object({ match: RequestMatch, release: z.string() })
export type RouteRule = z.infer<typeof RouteRule>

/** Who takes part in a test: of each group one has to match (`participants.ts`). */
export const Participants = z.array(z.array(RequestMatch).min(1)).min(1)
export type Participants = z.infer<typeof Participants>

/** Parts of the release's share, each told to it by the header `sluice-variant`, and what counts as a success. */
export const VariantRoute = z.object({
  /** What says who the user is; `null`: the id in our own cookie. Whoever does not say so stays with stable. */
  by: z.object({ in: z.enum(['header', 'cookie']), name: z.string() }).nullable(),
  /** Whoever does not take part stays with stable, too, and is counted apart. */
  where: Participants.exactOptional(),
  variants: z.array(z.object({ name: z.string(), sharePermille: WeightPermille })),
  goal: z.object({ method: z.string(), path: z.string() }),
})
export type VariantRoute = z.infer<typeof VariantRoute>

export const StickyRoute = z.discriminatedUnion('kind', [
  /**
   * Users keep their version while the weights rise: the cookie holds a random id, and a hash of `salt` and the id says
   * where among the weights a user stands, `release` first.
   */
  z.object({
    kind: z.literal('assign'),
    cookie: z.string(),
    forMs: z.int().positive(),
    salt: z.string(),
    release: z.string(),
    test: VariantRoute.exactOptional(),
  }),
  /** Nobody is bound any more: cookies that still come are taken back, for as long as there can be any. */
  z.object({ kind: z.literal('expire'), cookie: z.string(), forMs: z.int().positive() }),
])
export type StickyRoute = z.infer<typeof StickyRoute>

/** Nobody is served, by decision and for a declared time: clients are told to come back after so long. */
export const Closed = z.object({ retryAfterS: z.int().min(1).max(3600) })
export type Closed = z.infer<typeof Closed>

/** Where requests go besides the weights, or that they go nowhere. */
export const SideRoutes = z.object({
  preview: PreviewRoute.nullable().default(null),
  rules: z.array(RouteRule).default([]),
  sticky: StickyRoute.nullable().default(null),
  mirror: MirrorRoute.nullable().default(null),
  closed: Closed.nullable().default(null),
})
export type SideRoutes = z.infer<typeof SideRoutes>

export const NO_SIDE_ROUTES: SideRoutes = {
  preview: null,
  rules: [],
  sticky: null,
  mirror: null,
  closed: null,
}
