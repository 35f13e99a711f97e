/**
 * Upper bounds in milliseconds of the fixed latency buckets, inclusive, shared by the proxy, the analysis and every
 * chart; one more bucket counts what is slower. The bounds include every latency limit of the default guards.
 */
export const LATENCY_BOUNDS_MS = [
  1, 2, 5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000, 1500, 2000, 3000, 5000, 10_000,
  30_000,
] as const

const LATENCY_BOUNDS: readonly number[] = LATENCY_BOUNDS_MS

/** Number of buckets, the open one included. */
export const LATENCY_BUCKETS = LATENCY_BOUNDS_MS.length + 1

/** Index of the bucket that counts a request of this latency. */
export function bucketOf(latencyMs: number): number {
  let index = 0
  while (index < LATENCY_BOUNDS_MS.length && latencyMs > (LATENCY_BOUNDS_MS[index] ?? 0)) index += 1
  return index
}

/** How many of the counted requests were slower than the given bound (which must be one of the bounds). */
export function countSlowerThan(buckets: readonly number[], boundMs: number): number {
  const first = LATENCY_BOUNDS.indexOf(boundMs) + 1
  if (first === 0) throw new RangeError(`${boundMs} ms is not a bucket bound`)
  return buckets.slice(first).reduce((sum, count) => sum + count, 0)
}

/**
 * The latency in milliseconds that the given share of requests did not exceed, by linear interpolation inside its
 * bucket; `null` when nothing was counted. In the open bucket the last bound is returned: a lower bound of the truth.
 */
export function quantileMs(buckets: readonly number[], share: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  const rank = share * total
  let below = 0
  for (let index = 0; index < LATENCY_BOUNDS_MS.length; index += 1) {
    const count = buckets[index] ?? 0
    if (count > 0 && below + count >= rank) {
      const from = index === 0 ? 0 : (LATENCY_BOUNDS_MS[index - 1] ?? 0)
      const to = LATENCY_BOUNDS_MS[index] ?? 0
      return from + ((to - from) * (rank - below)) / count
    }
    below += count
  }
  return LATENCY_BOUNDS_MS.at(-1) ?? null
}
