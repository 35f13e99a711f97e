import * as z from 'zod'
import { countSlowerThan, LATENCY_BOUNDS_MS, quantileMs } from '../shared/histogram.ts'
import type { SideCounts } from './batch.ts'
import { P95_SLOW_SHARE } from './check.ts'
import {
  type Dispersion,
  dispersionFromSpreads,
  FULL_BASELINE_MINUTES,
  type Share,
  type Spread,
  spreadOfMinutes,
} from './sequential/dispersion.ts'

const MINUTE_MS = 60_000
/** A bound that fewer requests have chosen is no bound. */
const MIN_REQUESTS = 100

const Count = z.int().nonnegative()
const Minute = z.object({ number: z.int(), requests: Count, errors: Count, timed: Count, slow: Count })

/**
 * What stable did in each minute: how much its counts vary by themselves is what the evidence against a candidate is
 * divided by. `slow` counts requests above `boundMs`, which is about stable's 95th percentile and chosen once.
 */
export const StableMinutes = z.object({
  boundMs: z.number().nullable(),
  /** Oldest first; at most an hour. */
  minutes: z.array(Minute),
})
export type StableMinutes = z.infer<typeof StableMinutes>

export const noMinutes = (boundMs: number | null = null): StableMinutes => ({ boundMs, minutes: [] })

/** Adds what was counted of stable in a time that began at `sinceAt`. */
export function addToMinutes(known: StableMinutes, side: SideCounts, sinceAt: number): StableMinutes {
  if (side.requests === 0) return known
  const boundMs = known.boundMs ?? boundOf(side)
  const number = Math.floor(sinceAt / MINUTE_MS)
  const timed = side.latencyBuckets.reduce((sum, count) => sum + count, 0)
  // What came before there was a bound is no evidence about it.
  const slow = known.boundMs === null ? 0 : countSlowerThan(side.latencyBuckets, known.boundMs)
  const added = {
    number,
    requests: side.requests,
    errors: side.errors,
    timed: known.boundMs === null ? 0 : timed,
    slow,
  }
  const last = known.minutes.at(-1)
  // A clock that was set back must not reorder them: it goes on in the newest one.
  const minutes =
    last !== undefined && number <= last.number
      ? [...known.minutes.slice(0, -1), plus(last, added)]
      : [...known.minutes, added]
  return { boundMs, minutes: minutes.slice(-FULL_BASELINE_MINUTES) }
}

type Minute = z.infer<typeof Minute>

const plus = (a: Minute, b: Minute): Minute => ({
  number: a.number,
  requests: a.requests + b.requests,
  errors: a.errors + b.errors,
  timed: a.timed + b.timed,
  slow: a.slow + b.slow,
})

/** The bound next above the 95th percentile; `null` as long as there are too few requests. */
export function boundOf({ latencyBuckets }: Pick<SideCounts, 'latencyBuckets'>): number | null {
  if (latencyBuckets.reduce((sum, count) => sum + count, 0) < MIN_REQUESTS) return null
  const p95 = quantileMs(latencyBuckets, 1 - P95_SLOW_SHARE) ?? 0
  return LATENCY_BOUNDS_MS.find((bound) => bound >= p95) ?? null
}

export type Spreads = { errors: Spread; latency: Spread }

export const NO_SPREADS: Spreads = {
  errors: { spread: 0, freedom: 0, minutes: 0 },
  latency: { spread: 0, freedom: 0, minutes: 0 },
}

/** Of whole minutes: those before the one that `until` lies in. */
export function spreadsOf({ minutes }: StableMinutes, until: number): Spreads {
  const whole = minutes.filter(({ number }) => number < Math.floor(until / MINUTE_MS))
  return {
    errors: spreadOfMinutes(
      whole.map(({ errors, requests }): Share => ({ events: errors, exposure: requests })),
    ),
    latency: spreadOfMinutes(
      whole
        .filter(({ timed }) => timed > 0)
        .map(({ slow, timed }): Share => ({ events: slow, exposure: timed })),
    ),
  }
}

export type Dispersions = { errors: Dispersion; latency: Dispersion }

/** What the evidence is divided by, known before the batch that begins at `until`. */
export function dispersionsAt(baseline: Spreads, current: StableMinutes, until: number): Dispersions {
  const now = spreadsOf(current, until)
  return {
    errors: dispersionFromSpreads(baseline.errors, now.errors),
    latency: dispersionFromSpreads(baseline.latency, now.latency),
  }
}
