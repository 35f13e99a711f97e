import * as z from 'zod'

/**
 * The fencing token that every effect carries. Who performs the effect remembers, per service,
 * the highest `epoch` and, within it, the highest `sequence`, and refuses anything lower: a controller that was
 * paused and replaced can change nothing any more. Equal tokens are repeats and must be accepted (idempotent).
 */
export const FencingToken = z.object({
  /** Grows by one each time a controller takes ownership of the state. */
  epoch: z.int().nonnegative(),
  /** Grows with each effect decided for the service. */
  sequence: z.int().nonnegative(),
  /** The rollout on whose behalf, or `null` for upkeep of stable. */
  rollout: z.string().nullable(),
})
export type FencingToken = z.infer<typeof FencingToken>

/** Negative when `a` is older than `b`, zero when they are repeats of each other. */
export function compareTokens(a: FencingToken, b: FencingToken): number {
  return a.epoch - b.epoch || a.sequence - b.sequence
}
