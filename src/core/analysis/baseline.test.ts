import { describe, expect, it } from 'vitest'
import { bucketOf, LATENCY_BUCKETS } from '../shared/histogram.ts'
import { addToBaseline, Baseline, factsOf, newBaseline } from './baseline.ts'
import type { SideCounts } from './batch.ts'

const MINUTE_MS = 60_000
const STABLE = { release: 'r1', version: '1.0.0' }

const minute = (requests: number, errors: number): SideCounts => {
  const latencyBuckets = new Array<number>(LATENCY_BUCKETS).fill(0)
  latencyBuckets[bucketOf(20)] = requests
  return { requests, errors, latencyBuckets }
}

const watched = (minutes: number): Baseline =>
  Array.from({ length: minutes }).reduce<Baseline>(
    (known, _, index) =>
      addToBaseline(known, minute(600, 6), {
        sinceAt: index * MINUTE_MS,
        at: (index + 1) * MINUTE_MS,
        use: null,
      }),
    newBaseline(STABLE, 0),
  )

describe('a baseline', () => {
  it('says what the release does by itself: rates, latencies and how much its minutes differ', () => {
    const facts = factsOf(watched(61))
    expect(facts).toMatchObject({ ...STABLE, requests: 61 * 600, errorPercent: 1, requestsPerSecond: 10 })
    expect(facts.p95Ms).toBeGreaterThan(10)
    expect(facts.p95Ms).toBeLessThanOrEqual(20)
    expect(facts.spreads.errors).toEqual({ spread: 0, freedom: 59, minutes: 60 })
  })

  it('forgets slowly: what was long ago counts less, and an hour of minutes is kept', () => {
    const baseline = watched(1500)
    expect(baseline.watchedMs).toBeLessThan(1500 * MINUTE_MS)
    expect(baseline.counts.requests / (baseline.watchedMs / 1000)).toBeCloseTo(10, 1)
    expect(baseline.minutes.minutes).toHaveLength(60)
  })

  it('has no rates before anything was counted', () => {
    expect(factsOf(newBaseline(STABLE, 0))).toMatchObject({
      errorPercent: 0,
      requestsPerSecond: 0,
      p95Ms: null,
      boundMs: null,
    })
  })

  it('is read back as it was written', () => {
    expect(Baseline.parse(JSON.parse(JSON.stringify(watched(70))))).toEqual(watched(70))
  })
})
