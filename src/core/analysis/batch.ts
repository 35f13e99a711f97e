import * as z from 'zod'
import { addPairs } from '../shared/add-counts.ts'
import { LATENCY_BUCKETS } from '../shared/histogram.ts'
import { PairCounts } from '../shared/traffic-counts.ts'
import { WeightPermille } from '../shared/weight.ts'

const Count = z.int().nonnegative()

/** Requests of one version in one interval. */
export const SideCounts = z.object({
  requests: Count,
  errors: Count,
  latencyBuckets: z.array(Count).length(LATENCY_BUCKETS),
  /** Bodies of requests and of answers; absent in what was counted before these were. */
  bytes: z.object({ in: Count, out: Count }).exactOptional(),
})
export type SideCounts = z.infer<typeof SideCounts>

/** Crashes of one version in one interval, and for how many hours its instances ran, all together. */
export const CrashCounts = z.object({ events: Count, exposure: z.number().nonnegative() })
export type CrashCounts = z.infer<typeof CrashCounts>

/** What was counted between two looks: differences of the data plane's counters, never planned weights. */
export const Batch = z.object({
  at: z.number(),
  sinceAt: z.number(),
  candidate: SideCounts,
  stable: SideCounts,
  /** All requests of the service, and those lost by the data plane, in the interval. */
  requests: Count,
  unroutable: Count,
  /** Turned away while the service was closed by decision; absent where none were. */
  closed: Count.exactOptional(),
  cutOnDrain: Count,
  /** The candidate's confirmed share, where it was the same at both looks. */
  weightPermille: WeightPermille.exactOptional(),
  /** Where the instances of both versions were seen at both looks. */
  crashes: z.object({ candidate: CrashCounts, stable: CrashCounts }).exactOptional(),
  /** While requests are copied, both sides hold what came of those that were, and this says how the answers compare. */
  shadow: PairCounts.exactOptional(),
})
export type Batch = z.infer<typeof Batch>

export const noRequests = (): SideCounts => ({
  requests: 0,
  errors: 0,
  latencyBuckets: new Array<number>(LATENCY_BUCKETS).fill(0),
})

/** Requests with a complete answer, so with a latency: neither an aborted client nor a broken connection has one. */
export const answeredBy = ({ latencyBuckets }: Pick<SideCounts, 'latencyBuckets'>): number =>
  latencyBuckets.reduce((sum, count) => sum + count, 0)

type Answers = { candidate: number; stable: number }

/** Answers of both; where nothing is timed (WebSockets, event streams) all requests. */
export function answersOf({ candidate, stable }: { candidate: SideCounts; stable: SideCounts }): Answers {
  const answers = { candidate: answeredBy(candidate), stable: answeredBy(stable) }
  return answers.candidate + answers.stable > 0
    ? answers
    : { candidate: candidate.requests, stable: stable.requests }
}

export const addSides = (a: SideCounts, b: SideCounts): SideCounts => ({
  requests: a.requests + b.requests,
  errors: a.errors + b.errors,
  latencyBuckets: a.latencyBuckets.map((count, index) => count + (b.latencyBuckets[index] ?? 0)),
  ...addBytes(a, b),
})

/** What several data planes counted of the same interval. All else is as in the first. */
export const addBatches = (first: Batch, other: Batch): Batch => ({
  ...first,
  candidate: addSides(first.candidate, other.candidate),
  stable: addSides(first.stable, other.stable),
  requests: first.requests + other.requests,
  unroutable: first.unroutable + other.unroutable,
  cutOnDrain: first.cutOnDrain + other.cutOnDrain,
  ...addClosed(first, other),
  ...pairsOfBoth(first, other),
})

const addClosed = ({ closed: a }: Batch, { closed: b }: Batch): Pick<Batch, 'closed'> =>
  a === undefined && b === undefined ? {} : { closed: (a ?? 0) + (b ?? 0) }

const pairsOfBoth = ({ shadow: a }: Batch, { shadow: b }: Batch): Pick<Batch, 'shadow'> =>
  a === undefined || b === undefined ? {} : { shadow: addPairs(a, b) }

const addBytes = ({ bytes: a }: SideCounts, { bytes: b }: SideCounts): Pick<SideCounts, 'bytes'> =>
  a === undefined && b === undefined
    ? {}
    : { bytes: { in: (a?.in ?? 0) + (b?.in ?? 0), out: (a?.out ?? 0) + (b?.out ?? 0) } }
