import * as z from 'zod'
import { LATENCY_BUCKETS } from '../shared/histogram.ts'
import type { ServiceCounts } from '../shared/traffic-counts.ts'
import type { Batch, SideCounts } from './batch.ts'
import { noRequests, SideCounts as SideCountsSchema } from './batch.ts'

/** Where the last look left the data plane's monotonic counters, so that the next look can take the difference. */
export const CountsCursor = z.object({
  boot: z.string(),
  at: z.number(),
  releases: z.record(z.string(), SideCountsSchema.extend({ cutOnDrain: z.int().nonnegative() })),
  unroutable: z.int().nonnegative(),
})
export type CountsCursor = z.infer<typeof CountsCursor>

export function cursorOf(counts: ServiceCounts, at: number): CountsCursor {
  const releases = counts.releases.map(({ release, total }) => [
    release,
    {
      requests: total.requests,
      errors: total.errors,
      latencyBuckets: fitted(total.latencyBuckets),
      cutOnDrain: total.cutOnDrain,
    },
  ])
  return { boot: counts.boot, at, releases: Object.fromEntries(releases), unroutable: counts.unroutable }
}

/** The difference between two looks. A new boot of the data plane counted from zero, so all it counted is new. */
export function batchBetween(
  last: CountsCursor,
  next: CountsCursor,
  sides: { candidate: string; stable: string | null },
): Batch {
  const before: Pick<CountsCursor, 'releases' | 'unroutable'> =
    last.boot === next.boot ? last : { releases: {}, unroutable: 0 }
  const side = (release: string | null): SideCounts =>
    release === null ? noRequests() : difference(next.releases[release], before.releases[release])
  // Release by release: one that the data plane forgot must not hide what the others did.
  const grown = (pick: (counts: CountsCursor['releases'][string]) => number): number =>
    Object.entries(next.releases).reduce((sum, [release, counts]) => {
      const last = before.releases[release]
      return (
        sum +
        (last === undefined || isRestarted(counts, last)
          ? pick(counts)
          : Math.max(0, pick(counts) - pick(last)))
      )
    }, 0)
  return {
    at: next.at,
    sinceAt: last.at,
    candidate: side(sides.candidate),
    stable: side(sides.stable),
    requests: grown((counts) => counts.requests),
    unroutable: Math.max(0, next.unroutable - before.unroutable),
    cutOnDrain: grown((counts) => counts.cutOnDrain),
  }
}

/** Counters only grow; fewer requests than before means that they were forgotten and began anew. */
const isRestarted = (next: SideCounts, last: SideCounts): boolean => next.requests < last.requests

function difference(next: SideCounts | undefined, last: SideCounts | undefined): SideCounts {
  if (next === undefined) return noRequests()
  if (last === undefined || isRestarted(next, last))
    return { requests: next.requests, errors: next.errors, latencyBuckets: next.latencyBuckets }
  return {
    requests: Math.max(0, next.requests - last.requests),
    errors: Math.max(0, next.errors - last.errors),
    latencyBuckets: next.latencyBuckets.map((count, index) =>
      Math.max(0, count - (last.latencyBuckets[index] ?? 0)),
    ),
  }
}

const fitted = (buckets: readonly number[]): number[] =>
  Array.from({ length: LATENCY_BUCKETS }, (_, index) => buckets[index] ?? 0)
