import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bucketOf, LATENCY_BUCKETS } from '../shared/histogram.ts'
import type { Batch, SideCounts } from './batch.ts'
import type { Check } from './check.ts'
import { addBatch, newCheckState, verdictOf } from './judge.ts'

const ALPHA = 0.01 / 3
const errors: Check = {
  kind: 'errors-compare',
  name: 'errors against stable',
  tier: 'compare',
  ratio: 1,
  points: 0.1,
  alpha: ALPHA,
}
const limit: Check = {
  kind: 'error-limit',
  name: 'error rate',
  tier: 'critical',
  limitShare: 0.05,
  alpha: ALPHA,
}
const overStable: Check = {
  kind: 'latency-over-stable',
  name: 'p95 over stable',
  tier: 'critical',
  times: 2,
  alpha: ALPHA,
}

/** A small seeded source of chance (mulberry32), so that every run sees the same rollouts. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Bad ones among n: jumps from one to the next, quick for small rates. */
function draw(random: () => number, n: number, rate: number): number {
  if (rate === 0) return 0
  let bad = 0
  for (let at = Math.floor(Math.log(1 - random()) / Math.log(1 - rate)); at < n; bad += 1)
    at += 1 + Math.floor(Math.log(1 - random()) / Math.log(1 - rate))
  return bad
}

const side = (requests: number, bad: number, latencyMs = 10): SideCounts => {
  const latencyBuckets = new Array<number>(LATENCY_BUCKETS).fill(0)
  latencyBuckets[bucketOf(latencyMs)] = requests
  return { requests, errors: bad, latencyBuckets }
}
const batch = (at: number, candidate: SideCounts, stable: SideCounts): Batch => ({
  at,
  sinceAt: at - 1,
  candidate,
  stable,
  requests: candidate.requests + stable.requests,
  unroutable: 0,
  cutOnDrain: 0,
})

type Look = { n: number; m: number; candidateRate: number; stableRate: number }

/** Candidate requests until the alarm, or `null` when there was none. */
function requestsToAlarm(check: Check, looks: readonly Look[], random: () => number): number | null {
  let state = newCheckState(check)
  let asked = 0
  for (const [index, { n, m, candidateRate, stableRate }] of looks.entries()) {
    asked += n
    state = addBatch(
      check,
      state,
      batch(index + 1, side(n, draw(random, n, candidateRate)), side(m, draw(random, m, stableRate))),
    )
    if (state.crossedAt !== null) return asked
  }
  return null
}

function alarms(check: Check, looks: readonly Look[], runs: number): number {
  const random = chance(7)
  return Array.from({ length: runs }, () => requestsToAlarm(check, looks, random)).filter(
    (asked) => asked !== null,
  ).length
}

const times = (count: number, look: (index: number) => Look): Look[] =>
  Array.from({ length: count }, (_, index) => look(index))

describe('false alarms', () => {
  it.each([0.001, 0.005, 0.01])(
    'stay within one percent of 1,000 equal rollouts at a base rate of %f',
    (rate) => {
      const looks = times(60, () => ({ n: 200, m: 200, candidateRate: rate, stableRate: rate }))
      expect(alarms({ ...errors, points: 0, alpha: 0.01 }, looks, 1000)).toBeLessThanOrEqual(10)
    },
  )

  it('do not come from stepping weights while the base rate climbs (Simpson)', () => {
    const looks = times(60, (index) => {
      const stage = Math.floor(index / 20)
      const n = [50, 250, 500][stage] ?? 0
      const rate = [0.002, 0.005, 0.012][stage] ?? 0
      return { n, m: 1000 - n, candidateRate: rate, stableRate: rate }
    })
    expect(alarms({ ...errors, points: 0, alpha: 0.01 }, looks, 500)).toBeLessThanOrEqual(5)
  })

  it('do not come from an outage that both sides share, during it or after it', () => {
    const looks = times(400, (index) => {
      const rate = index >= 20 && index < 50 ? 0.5 : 0.001
      return { n: 100, m: 900, candidateRate: rate, stableRate: rate }
    })
    expect(alarms(errors, looks, 50)).toBe(0)
    expect(alarms(limit, looks, 50)).toBe(0)
  })

  it('do not come from an absolute limit that is excused by stable and lapses while old evidence lies there', () => {
    let state = newCheckState(limit)
    state = addBatch(limit, state, batch(1, side(1000, 500), side(1000, 500)))
    expect(verdictOf(limit, state)).toMatchObject({ verdict: 'watching', excuse: expect.any(String) })
    state = addBatch(limit, state, batch(2, side(9000, 0), side(9100, 0)))
    expect(verdictOf(limit, state)).toMatchObject({ verdict: 'watching', excuse: null })
  })
})

describe('detection', () => {
  it.each([
    ['the same size', 20, 20, 1200],
    ['nine times as much', 20, 180, 600],
  ])(
    'of 0.1 to 1.1 percent against a stable of %s needs about as many requests as designed',
    (_name, n, m, designed) => {
      const random = chance(11)
      const looks = times(600, () => ({ n, m, candidateRate: 0.011, stableRate: 0.001 }))
      const needed = Array.from(
        { length: 101 },
        () =>
          requestsToAlarm({ ...errors, points: 0, alpha: 0.01 }, looks, random) ?? Number.POSITIVE_INFINITY,
      ).sort((a, b) => a - b)
      expect(needed[50]).toBeLessThanOrEqual(designed * 1.5)
      expect(needed[50]).toBeGreaterThan(designed / 4)
      expect(needed[90]).toBeLessThan(Number.POSITIVE_INFINITY)
    },
  )
})

describe('the state of a check', () => {
  it('holds the same evidence whatever the order of its batches', () => {
    const counts = fc
      .tuple(fc.nat(500), fc.nat(500))
      .map(([requests, bad]) => side(requests, Math.min(requests, bad)))
    const batches = fc.array(fc.tuple(counts, counts), { maxLength: 12 })
    const property = fc.property(batches, (pairs) => {
      const all = pairs.map(([candidate, stable], index) => batch(index, candidate, stable))
      const fold = (order: readonly Batch[]) =>
        order.reduce((state, one) => addBatch(errors, state, one), newCheckState(errors))
      const [there, back] = [fold(all), fold(all.toReversed())]
      expect(back.candidate).toEqual(there.candidate)
      expect(back.stable).toEqual(there.stable)
      back.terms.forEach((term, index) => {
        expect(term).toBeCloseTo(there.terms[index] ?? 0, 6)
      })
    })
    fc.assert(property, { numRuns: 100, seed: 5 })
  })

  it('freezes the latency bound from stable alone, before it judges the candidate', () => {
    let state = newCheckState(overStable)
    state = addBatch(overStable, state, batch(1, side(500, 0, 900), side(99, 0, 90)))
    expect(state.boundMs).toBeNull()
    state = addBatch(overStable, state, batch(2, side(0, 0), side(1, 0, 90)))
    state = addBatch(overStable, state, batch(3, side(10, 0, 900), side(10, 0, 90)))
    expect(state.boundMs).toBe(200)
    expect(state.terms.length).toBeGreaterThan(0)
    state = addBatch(overStable, state, batch(4, side(10, 0, 10), side(1000, 0, 4000)))
    expect(state.boundMs).toBe(200)
  })

  it('stays worse once it was worse', () => {
    let state = addBatch(limit, newCheckState(limit), batch(1, side(200, 100), side(200, 0)))
    state = addBatch(limit, state, batch(2, side(100_000, 0), side(100_000, 0)))
    expect(verdictOf(limit, state).verdict).toBe('worse')
  })

  it('has no data before the candidate was asked', () => {
    expect(
      verdictOf(limit, addBatch(limit, newCheckState(limit), batch(1, side(0, 0), side(50, 50)))).verdict,
    ).toBe('no-data')
  })
})
