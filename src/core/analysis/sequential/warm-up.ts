/** When a batch was counted, in ms since the epoch. */
type Timed = { sinceAt?: number | undefined; at?: number | undefined }

/**
 * The batches without those that overlap a warm-up: after each change of weight caches are cold and connections are
 * new, on both sides. A batch without times is kept: nothing is known about it.
 */
export function withoutWarmUp<T extends Timed>(
  batches: readonly T[],
  weightChangesAt: readonly number[],
  warmUpMs: number,
): T[] {
  return batches.filter(({ sinceAt, at }) => {
    if (sinceAt === undefined || at === undefined) return true
    return !weightChangesAt.some((changed) => sinceAt < changed + warmUpMs && at > changed)
  })
}
