import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { simulatedSettings } from '../../testkit/simulator/settings.ts'
import { bucketOf, LATENCY_BUCKETS } from '../shared/histogram.ts'
import { addSides, type Batch, noRequests, type SideCounts } from './batch.ts'
import { chance, draw } from './chance.test.fixture.ts'
import { type Check, type Comparison, checksOf } from './check.ts'
import { addBatch, newCheckState, verdictOf } from './judge.ts'
import { Metric } from './sequential/metric.ts'

const ALPHA = 0.01 / 3
const errors = errorsCompared({ points: 0.1, alpha: ALPHA })
const strict = errorsCompared({ points: 0, alpha: 0.01 })
const limit: Check = {
  kind: 'error-limit',
  name: 'error rate',
  tier: 'critical',
  limitShare: 0.05,
  alpha: ALPHA,
}
const overStableErrors: Check = {
  kind: 'errors-over-stable',
  name: 'errors over stable',
  tier: 'critical',
  points: 5,
  alpha: ALPHA,
}
const settings = simulatedSettings().analysis
const overStable: Check = {
  kind: 'latency-over-stable',
  name: 'p95 over stable',
  tier: 'critical',
  times: 2,
  alpha: ALPHA,
}

function errorsCompared({ points, alpha }: { points: number; alpha: number }): Comparison {
  const name = 'errors against stable'
  const metric = Metric.parse({ name, kind: 'ratio', tolerance: { points } })
  return { kind: 'compare', of: 'errors', name, tier: 'compare', alpha, beta: alpha, metric }
}

/** Adds batches as a rollout does: with the totals up to each, and nothing known about their spread. */
function judgedOver(
  check: Check,
  batches: readonly Batch[],
  { by = 1, isWarmingUp = false }: { by?: number; isWarmingUp?: boolean } = {},
) {
  let state = newCheckState(check)
  let counted = { candidate: noRequests(), stable: noRequests() }
  for (const one of batches) {
    counted = {
      candidate: addSides(counted.candidate, one.candidate),
      stable: addSides(counted.stable, one.stable),
    }
    const dispersion = { errors: by, latency: by }
    state = addBatch(check, state, one, { counted, dispersion, isWarmingUp })
  }
  return { state, ...verdictOf(check, state, counted) }
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
  const batches = looks.map(({ n, m, candidateRate, stableRate }, index) =>
    batch(index + 1, side(n, draw(random, n, candidateRate)), side(m, draw(random, m, stableRate))),
  )
  const { crossedAt } = judgedOver(check, batches).state
  return crossedAt === null ? null : looks.slice(0, crossedAt).reduce((sum, { n }) => sum + n, 0)
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
      expect(alarms(strict, looks, 1000)).toBeLessThanOrEqual(10)
    },
  )

  it('do not come from stepping weights while the base rate climbs (Simpson)', () => {
    const looks = times(60, (index) => {
      const stage = Math.floor(index / 20)
      const n = [50, 250, 500][stage] ?? 0
      const rate = [0.002, 0.005, 0.012][stage] ?? 0
      return { n, m: 1000 - n, candidateRate: rate, stableRate: rate }
    })
    expect(alarms(strict, looks, 500)).toBeLessThanOrEqual(5)
  })

  it('do not come from an outage that both sides share, during it or after it', () => {
    const looks = times(400, (index) => {
      const rate = index >= 20 && index < 50 ? 0.5 : 0.001
      return { n: 100, m: 900, candidateRate: rate, stableRate: rate }
    })
    expect(alarms(errors, looks, 50)).toBe(0)
    expect(alarms(limit, looks, 50)).toBe(0)
  })

  it('do not come from a limit when both sides get worse after the candidate was given more weight (Simpson)', () => {
    const looks = times(660, (index) => {
      const n = index < 600 ? 5 : 50
      const rate = index < 600 ? 0.001 : 0.2
      return { n, m: 100 - n, candidateRate: rate, stableRate: rate }
    })
    expect(alarms(limit, looks, 50)).toBe(0)
  })

  it('do not come from twice the p95 of stable when both sides became slow since it was taken', () => {
    const quick = batch(1, side(10, 0), side(90, 0))
    const freezing = batch(2, side(0, 0), side(90, 0))
    const often = (one: Batch): Batch[] =>
      Array.from({ length: 12 }, (_, index) => ({ ...one, at: 3 + index }))
    const slow = batch(3, side(100, 0, 400), side(100, 0, 400))
    expect(judgedOver(overStable, [quick, freezing, ...often(slow)])).toMatchObject({
      verdict: 'watching',
      excuse: expect.any(String),
    })
    const candidateOnly = batch(3, side(100, 0, 400), side(100, 0))
    expect(judgedOver(overStable, [quick, freezing, ...often(candidateOnly)])).toMatchObject({
      verdict: 'worse',
    })
  })

  it('do not come from one bad moment where no stable serves beside the candidate: a limit takes several batches', () => {
    const slowLimit: Check = {
      kind: 'latency-limit',
      name: 'p99',
      tier: 'critical',
      boundMs: 500,
      alpha: ALPHA,
    }
    const stalled = side(1000, 0, 2000)
    const failing = side(1000, 1000)
    for (const [check, bad] of [
      [slowLimit, stalled],
      [limit, failing],
    ] as const) {
      const moments = Array.from({ length: 12 }, (_, index) => batch(index + 1, bad, side(0, 0)))
      expect(judgedOver(check, moments.slice(0, 2)).verdict).toBe('watching')
      expect(judgedOver(check, moments).verdict).toBe('worse')
    }
    expect(judgedOver(limit, [batch(1, failing, side(1000, 0))]).verdict).toBe('worse')
  })

  it('do not come from an absolute limit that is excused by stable and lapses while old evidence lies there', () => {
    const outage = batch(1, side(1000, 500), side(1000, 500))
    const after = batch(2, side(9000, 0), side(9100, 0))
    expect(judgedOver(limit, [outage])).toMatchObject({ verdict: 'watching', excuse: expect.any(String) })
    expect(judgedOver(limit, [outage, after])).toMatchObject({ verdict: 'watching', excuse: null })
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
        () => requestsToAlarm(strict, looks, random) ?? Number.POSITIVE_INFINITY,
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
      for (const check of [overStableErrors, errors]) {
        const [there, back] = [all, all.toReversed()].map((order) => judgedOver(check, order).state)
        const terms = [...(back?.terms ?? []), ...(back?.sequential?.worse ?? [])]
        const same = [...(there?.terms ?? []), ...(there?.sequential?.worse ?? [])]
        terms.forEach((term, index) => {
          expect(term).toBeCloseTo(same[index] ?? 0, 6)
        })
      }
    })
    fc.assert(property, { numRuns: 100, seed: 5 })
  })

  it('freezes the latency bound from stable alone, before it judges the candidate', () => {
    const batches = [
      batch(1, side(500, 0, 900), side(99, 0, 90)),
      batch(2, side(0, 0), side(1, 0, 90)),
      batch(3, side(10, 0, 900), side(10, 0, 90)),
      batch(4, side(10, 0, 10), side(1000, 0, 4000)),
    ]
    const bounds = batches.map((_, index) => judgedOver(overStable, batches.slice(0, index + 1)).state)
    expect(bounds.map(({ boundMs }) => boundMs)).toEqual([null, 200, 200, 200])
    expect(bounds[2]?.terms.length).toBeGreaterThan(0)
  })

  it('stays worse once it was worse', () => {
    const batches = [batch(1, side(200, 100), side(200, 0)), batch(2, side(100_000, 0), side(100_000, 0))]
    expect(judgedOver(limit, batches).verdict).toBe('worse')
  })

  it('has no data before the candidate was asked', () => {
    expect(judgedOver(limit, [batch(1, side(0, 0), side(50, 50))]).verdict).toBe('no-data')
    expect(judgedOver(errors, [batch(1, side(0, 0), side(50, 50))]).verdict).toBe('no-data')
  })

  it('is not worse once a rise that matters is ruled out', () => {
    const calm = times(40, () => ({ n: 200, m: 200, candidateRate: 0.001, stableRate: 0.001 }))
    const batches = calm.map(({ n, m }, index) => batch(index + 1, side(n, 0), side(m, 0)))
    expect(judgedOver(errors, batches.slice(0, 1)).verdict).toBe('watching')
    expect(judgedOver(errors, batches).verdict).toBe('not-worse')
  })

  it('needs more where counts vary by themselves: the evidence of all error checks is divided', () => {
    const bad = [batch(1, side(400, 60), side(400, 1))]
    for (const check of [errors, limit]) {
      const [plain, divided] = [judgedOver(check, bad), judgedOver(check, bad, { by: 4 })]
      expect(divided.logE).toBeGreaterThan(0)
      expect(divided.logE).toBeLessThan(plain.logE / 2)
    }
  })

  it('does not compare latency while caches are cold, but counts errors at once', () => {
    const slow = [batch(1, side(2000, 200, 900), side(2000, 0, 10))]
    const latency = checksOf(settings).find(({ name }) => name === 'latency against stable')
    if (latency === undefined) throw new Error('latency is compared by default')
    expect(judgedOver(latency, slow).verdict).toBe('worse')
    expect(judgedOver(latency, slow, { isWarmingUp: true }).verdict).toBe('no-data')
    expect(judgedOver(errors, slow, { isWarmingUp: true }).verdict).toBe('worse')
  })
})
