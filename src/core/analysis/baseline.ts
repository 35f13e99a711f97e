import * as z from 'zod'
import { LATENCY_BUCKETS, quantileMs } from '../shared/histogram.ts'
import type { SideCounts } from './batch.ts'
import { addSides, noRequests, SideCounts as SideCountsSchema } from './batch.ts'
import type { UseBatch } from './resources/use-batch.ts'
import {
  addHostUse,
  addUse,
  diskBusyPercent,
  figuresOfUse,
  HostSums,
  halvedHostUse,
  halvedUse,
  noHostUse,
  noUse,
  UseFigures,
  UseSums,
} from './resources/use-sums.ts'
import { Spread } from './sequential/dispersion.ts'
import { addToMinutes, noMinutes, StableMinutes, spreadsOf } from './stable-minutes.ts'

/**
 * What a release does while nothing is released: its requests of the last hours, and each of its last sixty minutes. One
 * record per service and release, kept in the store.
 */
export const Baseline = z.object({
  release: z.string(),
  version: z.string(),
  since: z.number(),
  until: z.number(),
  /** Time that was really looked at, in ms. */
  watchedMs: z.number(),
  counts: SideCountsSchema,
  minutes: StableMinutes,
  /** Of the same time, as far as the target can tell. */
  use: UseSums.default(noUse),
  host: HostSums.default(noHostUse),
})
export type Baseline = z.infer<typeof Baseline>

/** What a rollout takes along of it: the spread of its minutes, and the figures for people. */
export const BaselineFacts = z.object({
  release: z.string(),
  version: z.string(),
  since: z.number(),
  until: z.number(),
  spreads: z.object({ errors: Spread, latency: Spread }),
  boundMs: z.number().nullable(),
  requests: z.int(),
  errorPercent: z.number(),
  requestsPerSecond: z.number(),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  /** Bodies, in bytes; `null` where they were not counted. */
  bytesInPerSecond: z.number().nullable().default(null),
  bytesOutPerSecond: z.number().nullable().default(null),
  /** `null` where the target cannot tell. */
  use: UseFigures.nullable().default(null),
  diskBusyPercent: z.number().nullable().default(null),
})
export type BaselineFacts = z.infer<typeof BaselineFacts>

/** Older requests count less: with each doubling of this time what was counted so far is halved. */
const HALVED_AT_MS = 24 * 3_600_000

export const newBaseline = (
  { release, version }: { release: string; version: string },
  at: number,
): Baseline => ({
  release,
  version,
  since: at,
  until: at,
  watchedMs: 0,
  counts: noRequests(),
  minutes: noMinutes(),
  use: noUse(),
  host: noHostUse(),
})

/** Adds what was counted between two looks, and what was used; there the release is the one called candidate. */
export function addToBaseline(
  baseline: Baseline,
  counts: SideCounts,
  { sinceAt, at, use }: { sinceAt: number; at: number; use: UseBatch | null },
): Baseline {
  const aged = baseline.watchedMs > HALVED_AT_MS ? halved(baseline) : baseline
  return {
    ...aged,
    until: Math.max(aged.until, at),
    watchedMs: aged.watchedMs + Math.max(0, at - sinceAt),
    counts: addSides(aged.counts, counts),
    minutes: addToMinutes(aged.minutes, counts, sinceAt),
    ...(use === null
      ? {}
      : {
          use: addUse(aged.use, use.candidate, use, counts.requests),
          host: addHostUse(aged.host, use),
        }),
  }
}

const halved = (baseline: Baseline): Baseline => ({
  ...baseline,
  watchedMs: Math.floor(baseline.watchedMs / 2),
  counts: {
    requests: half(baseline.counts.requests),
    errors: half(baseline.counts.errors),
    latencyBuckets: Array.from({ length: LATENCY_BUCKETS }, (_, at) =>
      half(baseline.counts.latencyBuckets[at] ?? 0),
    ),
    ...halvedBytes(baseline.counts),
  },
  use: halvedUse(baseline.use),
  host: halvedHostUse(baseline.host),
})

const halvedBytes = ({ bytes }: SideCounts): Pick<SideCounts, 'bytes'> =>
  bytes === undefined ? {} : { bytes: { in: half(bytes.in), out: half(bytes.out) } }

const half = (count: number): number => Math.floor(count / 2)

export function factsOf({
  counts,
  minutes,
  watchedMs,
  release,
  version,
  since,
  until,
  use,
  host,
}: Baseline): BaselineFacts {
  const perSecond = (bytes: number | undefined): number | null =>
    bytes === undefined || watchedMs === 0 ? null : (1000 * bytes) / watchedMs
  return {
    release,
    version,
    since,
    until,
    // The last minute may still go on.
    spreads: spreadsOf(minutes, until),
    boundMs: minutes.boundMs,
    requests: counts.requests,
    errorPercent: counts.requests === 0 ? 0 : (100 * counts.errors) / counts.requests,
    requestsPerSecond: watchedMs === 0 ? 0 : (1000 * counts.requests) / watchedMs,
    p50Ms: quantileMs(counts.latencyBuckets, 0.5),
    p95Ms: quantileMs(counts.latencyBuckets, 0.95),
    p99Ms: quantileMs(counts.latencyBuckets, 0.99),
    bytesInPerSecond: perSecond(counts.bytes?.in),
    bytesOutPerSecond: perSecond(counts.bytes?.out),
    use: figuresOfUse(use),
    diskBusyPercent: diskBusyPercent(host),
  }
}
