import { describe, expect, it } from 'vitest'
import { simulatedSettings } from '../../testkit/simulator/settings.ts'
import type { ServiceLevel } from '../release/analysis-settings.ts'
import { bucketOf, LATENCY_BUCKETS } from '../shared/histogram.ts'
import { addSides, type Batch, noRequests, type SideCounts } from './batch.ts'
import { addToBurn, type BurnState, burnEvidence, burnLimitOf, burnWindows } from './burn-rate.ts'
import { chance, draw } from './chance.test.fixture.ts'
import { type Check, checksOf } from './check.ts'
import { addBatch, newCheckState, verdictOf } from './judge.ts'
import { describeCheck } from './sentence.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const LEVEL: ServiceLevel = { targetPercent: 99.9, windowMs: 30 * DAY_MS, slowerThanMs: null }

const side = (requests: number, bad: number, latencyMs = 10): SideCounts => {
  const latencyBuckets = new Array<number>(LATENCY_BUCKETS).fill(0)
  latencyBuckets[bucketOf(latencyMs)] = requests
  return { requests, errors: bad, latencyBuckets }
}

function burnCheck(tier: 'critical' | 'warning', change: Partial<ServiceLevel> = {}): Check {
  const { analysis } = simulatedSettings({ analysis: { slo: { ...LEVEL, ...change } } })
  const found = checksOf(analysis).find((check) => check.kind === 'burn-rate' && check.tier === tier)
  if (found === undefined) throw new Error('an objective makes two checks')
  return found
}

type Minute = { candidate: SideCounts; stable: SideCounts }
const same = (minutes: number, candidate: SideCounts, stable: SideCounts): Minute[] =>
  Array.from({ length: minutes }, () => ({ candidate, stable }))

/** Adds one batch a minute, as a rollout does. */
function judgedOver(check: Check, minutes: readonly Minute[], by = 1) {
  let state = newCheckState(check)
  let counted = { candidate: noRequests(), stable: noRequests() }
  minutes.forEach(({ candidate, stable }, index) => {
    counted = {
      candidate: addSides(counted.candidate, candidate),
      stable: addSides(counted.stable, stable),
    }
    const one: Batch = {
      at: (index + 1) * MINUTE_MS,
      sinceAt: index * MINUTE_MS,
      candidate,
      stable,
      requests: candidate.requests + stable.requests,
      unroutable: 0,
      cutOnDrain: 0,
    }
    state = addBatch(check, state, one, {
      counted,
      dispersion: { errors: by, latency: by },
      isWarmingUp: false,
    })
  })
  const verdict = verdictOf(check, state, counted)
  const dispersion = { phi: by, evidence: 'full' as const, minutes: 60 }
  return { state, ...verdict, ...describeCheck(check, state, { verdict, counted, dispersion }) }
}

describe('the rates that are judged', () => {
  it.each([
    ['critical', 30, 14.4],
    ['warning', 30, 6],
    ['critical', 7, 3.36],
    ['warning', 90, 18],
  ] as const)('of the %s pair over %d days is %f times the budget', (tier, days, factor) => {
    const limit = burnLimitOf({ ...LEVEL, windowMs: days * DAY_MS }, tier)
    expect(limit.factor).toBeCloseTo(factor, 9)
    expect(limit.limitShare).toBeCloseTo(factor * 0.001, 9)
  })
})

describe('a burn rate', () => {
  const good = side(6000, 6)
  it.each([
    ['burns in both windows', same(20, side(1200, 30), good), 'worse'],
    ['burns as fast as allowed', same(60, side(1200, 1), good), 'watching'],
    ['burns 12 times as fast, under 14.4', same(60, side(1000, 12), good), 'watching'],
    [
      'has a burst that the long window does not notice',
      [...same(30, side(1200, 0), good), ...same(3, side(1200, 120), good)],
      'watching',
    ],
    ['has burned for four minutes only', same(4, side(1200, 60), good), 'watching'],
    [
      'burns for the first time after an hour',
      [...same(70, side(1200, 0), good), ...same(20, side(1200, 120), good)],
      'worse',
    ],
    ['burns while stable burns as fast', same(60, side(1200, 30), side(6000, 150)), 'watching'],
    ['burns while stable has too few requests to excuse it', same(20, side(1200, 30), side(1, 1)), 'worse'],
    ['has no requests', same(60, side(0, 0), good), 'no-data'],
  ] as const)('of a candidate that %s', (_name, minutes, verdict) => {
    expect(judgedOver(burnCheck('critical'), minutes)).toMatchObject({ verdict })
  })

  it('counts again when the shared outage is over and the candidate still burns', () => {
    const outage = same(30, side(1200, 100), side(6000, 500))
    const after = same(60, side(1200, 30), good)
    expect(judgedOver(burnCheck('critical'), outage)).toMatchObject({
      verdict: 'watching',
      excuse: expect.stringContaining('stable burns it as fast'),
    })
    expect(judgedOver(burnCheck('critical'), [...outage, ...after])).toMatchObject({ verdict: 'worse' })
  })

  it('does not judge before the short window is full, and says so', () => {
    expect(judgedOver(burnCheck('critical'), same(4, side(1200, 60), good))).toMatchObject({
      excuse: 'less than 5m were counted, so this is not judged yet',
    })
    expect(judgedOver(burnCheck('warning'), same(29, side(1200, 60), good)).excuse).toContain('30m')
    expect(judgedOver(burnCheck('warning'), same(30, side(1200, 60), good)).verdict).toBe('worse')
  })

  it('needs more where counts vary more by themselves', () => {
    const minutes = same(10, side(1200, 30), good)
    expect(judgedOver(burnCheck('critical'), minutes).verdict).toBe('worse')
    expect(judgedOver(burnCheck('critical'), minutes, 50).verdict).toBe('watching')
  })

  it('of a latency objective counts slow requests and no errors', () => {
    const slow = burnCheck('critical', { targetPercent: 99, slowerThanMs: 500 })
    expect(judgedOver(slow, same(10, side(1200, 600), good)).verdict).toBe('watching')
    expect(judgedOver(slow, same(10, side(1200, 0, 900), good))).toMatchObject({
      verdict: 'worse',
      candidate: expect.stringContaining('slower than 500 ms'),
    })
  })

  it('is told with both windows, how long they really are, and the limit', () => {
    const { candidate, stable, threshold } = judgedOver(burnCheck('critical'), same(20, side(1200, 30), good))
    expect(candidate).toBe(
      '2.5% (150 of 6000) errors in 5m, 2.5% (600 of 24000) in the 20m there are of 1h, 25x the budget',
    )
    expect(stable).toContain('0.10% (120 of 120000)')
    expect(threshold).toBe('14.4x an error budget of 0.1% (1.44%) over 5m and 1h')
  })
})

describe('false alarms of a burn rate', () => {
  it('stay within one percent of 300 candidates that burn just as fast as the limit for six hours', () => {
    const check = burnCheck('critical')
    const random = chance(3)
    const limit = burnLimitOf(LEVEL, 'critical').limitShare
    const alarms = Array.from({ length: 300 }, () => {
      const minutes = Array.from({ length: 360 }, () => ({
        candidate: side(600, draw(random, 600, limit)),
        stable: side(0, 0),
      }))
      return judgedOver(check, minutes).state.crossedAt
    }).filter((at) => at !== null)
    expect(alarms.length).toBeLessThanOrEqual(3)
  })
})

describe('the windows', () => {
  const limit = burnLimitOf(LEVEL, 'warning')
  const one = { candidate: { bad: 1, total: 10 }, stable: { bad: 0, total: 10 } }
  const burned = (minutes: readonly number[]): BurnState => {
    const state = minutes.reduce<BurnState | null>(
      (known, minute) =>
        addToBurn(limit, known, { ...one, sinceAt: minute * MINUTE_MS, at: (minute + 1) * MINUTE_MS }),
      null,
    )
    if (state === null) throw new Error('there were requests')
    return state
  }

  it('hold a bounded number of pieces and forget what is older than the long one', () => {
    const state = burned(Array.from({ length: 3000 }, (_, minute) => minute))
    expect(state.cells).toHaveLength(60)
    expect(burnWindows(limit, state).long.candidate.total).toBe(3600)
    expect(burnWindows(limit, state).short.candidate.total).toBe(300)
  })

  it('survive a clock that is set back and a long silence', () => {
    const state = burned([100, 101, 5, 102, 2000])
    expect(state.cells.map(({ number }) => number)).toEqual([333])
    expect(burned([100, 101, 5]).cells.at(-1)).toMatchObject({ number: 16, candidate: { total: 30 } })
  })

  it('give each begin of the long one a smaller part of the budget', () => {
    const at = (minutes: number): number =>
      burnEvidence(
        { ...limit, shortMs: limit.longMs },
        burned(Array.from({ length: minutes }, (_, i) => i)),
        1,
      )
    expect(at(720)).toBeLessThan(at(365) - 3)
  })

  it('begin with the first request of the candidate', () => {
    const nobody = { candidate: { bad: 0, total: 0 }, stable: { bad: 0, total: 10 } }
    expect(addToBurn(limit, null, { ...nobody, sinceAt: 0, at: 1 })).toBeNull()
  })
})
