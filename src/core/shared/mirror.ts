import * as z from 'zod'
import { WeightPermille } from './weight.ts'

/** A kind of request. In the path `*` stands for any characters (`pattern.ts`). */
export const RequestPattern = z.object({ method: z.string(), path: z.string() })
export type RequestPattern = z.infer<typeof RequestPattern>

/** How the body of a shadow answer is compared with the one that the user got. */
export const BodyComparison = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('off') }),
  /** Byte for byte. */
  z.object({ kind: z.literal('exact') }),
  /** JSON as values, everything else byte for byte. */
  z.object({
    kind: z.literal('json'),
    /** Fields that are left out: a name anywhere, or a path from the top, in which `*` stands for one name or index. */
    ignore: z.array(z.string()),
    /** Two times, or two UUIDs, are the same whatever they say. */
    ignoresVolatile: z.boolean(),
  }),
])
export type BodyComparison = z.infer<typeof BodyComparison>

/** Which requests are copied, and what is compared. */
export const Shadowing = z.object({
  /** Of the requests that may be copied. */
  sharePermille: WeightPermille.min(1),
  /** Those that may be made twice; no others are ever copied. */
  requests: z.array(RequestPattern).min(1),
  bodies: BodyComparison,
})
export type Shadowing = z.infer<typeof Shadowing>

/** Copies of a share of the requests go to a release whose answers nobody gets. */
export const MirrorRoute = Shadowing.extend({
  /** Whose counts these are; the next salt counts from zero. */
  salt: z.string(),
  release: z.string(),
})
export type MirrorRoute = z.infer<typeof MirrorRoute>
