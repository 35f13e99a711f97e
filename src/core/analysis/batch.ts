import * as z from 'zod'
import { LATENCY_BUCKETS } from '../shared/histogram.ts'

const Count = z.int().nonnegative()

/** Requests of one version in one interval. */
export const SideCounts = z.object({
  requests: Count,
  errors: Count,
  latencyBuckets: z.array(Count).length(LATENCY_BUCKETS),
})
export type SideCounts = z.infer<typeof SideCounts>

/** What was counted between two looks: differences of the data plane's counters, never planned weights. */
export const Batch = z.object({
  at: z.number(),
  sinceAt: z.number(),
  candidate: SideCounts,
  stable: SideCounts,
  /** All requests of the service, and those lost by the data plane, in the interval. */
  requests: Count,
  unroutable: Count,
  cutOnDrain: Count,
})
export type Batch = z.infer<typeof Batch>

export const noRequests = (): SideCounts => ({
  requests: 0,
  errors: 0,
  latencyBuckets: new Array<number>(LATENCY_BUCKETS).fill(0),
})

export const addSides = (a: SideCounts, b: SideCounts): SideCounts => ({
  requests: a.requests + b.requests,
  errors: a.errors + b.errors,
  latencyBuckets: a.latencyBuckets.map((count, index) => count + (b.latencyBuckets[index] ?? 0)),
})
