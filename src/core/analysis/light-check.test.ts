import { describe, expect, it } from 'vitest'
import type { AnalysisSettings } from '../release/analysis-settings.ts'
import { LATENCY_BUCKETS } from '../shared/histogram.ts'
import type { SideCounts } from './batch.ts'
import { chance } from './chance.test.fixture.ts'
import { upperBoundOfRate } from './change-evidence.ts'
import { countIn, describeBroken, isBroken, type LightCheck, lightChecks } from './light-check.ts'

const MINUTE_MS = 60_000
const MINUTES = 24 * 60
const KEEP_EVERY = 10
const BATCHES = (2 * MINUTES) / KEEP_EVERY
const PER_MINUTE = 1200

const SETTINGS: AnalysisSettings = {
  alpha: 0.01,
  intervalMs: 1000,
  minRequests: 100,
  compare: { errors: { ratio: 1, points: 0.1 }, latency: null },
  critical: { errorRatePercent: 1, p99Ms: 1000, p95TimesStable: 2 },
  warning: {},
  noticePoints: 1,
  dispersion: null,
  warmUpMs: 0,
  metrics: [],
  failingChecks: 3,
  failingInstancesPercent: 10,
  crashLimit: 3,
  targets: {},
  resourceFailureLimit: { limit: 3, of: 5 },
  newErrors: 'report',
  newErrorsAtLeast: 3,
  slo: null,
  alerts: { critical: 'pause', warning: 'report', match: {} },
}

const side = (requests: number, errors: number, bucket = 6): SideCounts => {
  const latencyBuckets = new Array<number>(LATENCY_BUCKETS).fill(0)
  latencyBuckets[bucket] = requests
  return { requests, errors, latencyBuckets }
}
const recorded = (requests: number, errors: number, bucket = 6) => [
  { version: '1.0.0', counts: side(requests, errors, bucket) },
]
const checkNamed = (name: string, checks: LightCheck[]): LightCheck | undefined =>
  checks.find((check) => check.name === name)

/** Knuth's method: the means here are small. */
function poisson(mean: number, random: () => number): number {
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = random(); product > limit; product *= random()) count += 1
  return count
}

/** A day of looks each minute, counts kept each ten minutes; the minute of the first alarm, or `null`. */
function dayOf(check: LightCheck, rateAt: (minute: number) => number, random: () => number): number | null {
  let kept = check
  let [requests, errors, since] = [0, 0, 0]
  for (let minute = 1; minute <= MINUTES; minute += 1) {
    requests += PER_MINUTE
    errors += poisson(PER_MINUTE * rateAt(minute), random)
    const peeked = countIn(kept, side(requests, errors), since * MINUTE_MS)
    if (isBroken(peeked, BATCHES)) return minute
    if (minute % KEEP_EVERY !== 0) continue
    kept = peeked
    requests = 0
    errors = 0
    since = minute
  }
  return null
}

describe('a light check', () => {
  it('is not made of what was a dry run during the rollout', () => {
    const names = (dryRun: string[]): string[] =>
      lightChecks({ ...SETTINGS, dryRun }, recorded(50_000, 150), 0).map(({ name }) => name)
    expect(names(['error rate (critical)', 'p95 over stable (critical)'])).toEqual(
      names([]).filter((name) => name !== 'error rate' && name !== 'p95 latency'),
    )
  })

  it('alarms on fewer healthy releases than the budget allows, at the very limit and looked at each minute for a day', () => {
    const random = chance(7)
    const checks = lightChecks(SETTINGS, recorded(50_000, 150), 0)
    const check = checkNamed('errors', checks)
    if (check === undefined) throw new Error('no check')
    const days = 200
    const alarms = Array.from({ length: days }, () => dayOf(check, () => check.limitShare, random))
    expect(alarms.filter((at) => at !== null).length / days).toBeLessThanOrEqual(0.01)
  })

  it('finds a fault that begins after 20 hours as fast as one that begins at once', () => {
    const random = chance(11)
    const check = checkNamed('errors', lightChecks(SETTINGS, recorded(50_000, 150), 0))
    if (check === undefined) throw new Error('no check')
    const late = 20 * 60
    for (let day = 0; day < 20; day += 1) {
      expect(dayOf(check, () => 0.021, random)).toBeLessThanOrEqual(5)
      const found = dayOf(check, (minute) => (minute <= late ? 0.003 : 0.021), random) ?? 0
      expect(found).toBeGreaterThan(late)
      expect(found - late).toBeLessThanOrEqual(6)
    }
  })

  it('asks for twice the record at its upper bound, and takes the worse of both versions', () => {
    const record = [...recorded(10_000, 10), { version: '1.1.0', counts: side(10_000, 30) }]
    const check = checkNamed('errors', lightChecks(SETTINGS, record, 0))
    expect(check?.limitShare).toBeCloseTo(2 * upperBoundOfRate({ bad: 30, total: 10_000 }, 0.01) + 0.001, 10)
    expect(check?.against).toBe('0.30% of 1.1.0 (30 of 10000 during the rollout)')
  })

  it('leaves out what was broken already during the rollout, and what was hardly counted', () => {
    const broken = lightChecks(SETTINGS, recorded(10_000, 500), 0).map(({ name }) => name)
    expect(broken).toEqual(['p99 latency', 'errors', 'p95 latency'])
    const few = lightChecks(SETTINGS, recorded(50, 0), 0).map(({ name }) => name)
    expect(few).toEqual(['error rate', 'p99 latency'])
  })

  it('shares the false-alarm budget among its checks', () => {
    const checks = lightChecks(SETTINGS, recorded(10_000, 10), 0)
    expect(checks.map(({ alpha }) => alpha)).toEqual([0.0025, 0.0025, 0.0025, 0.0025])
  })

  it('says what broke since when, against what, and how sure it is', () => {
    const check = checkNamed('errors', lightChecks(SETTINGS, recorded(50_000, 150), 0))
    if (check === undefined) throw new Error('no check')
    const quiet = countIn(check, side(100_000, 300), 0)
    const broken = countIn(quiet, side(6000, 126), 600_000)
    expect(isBroken(quiet, BATCHES)).toBe(false)
    expect(describeBroken(broken, BATCHES, 900_000)).toMatch(
      /^errors 2\.1% \(126 of 6000 in the last 5m\) against 0\.30% of 1\.0\.0 \(150 of 50000 during the rollout\), limit 0\.\d+%; fewer than 1 in [\d,]+ healthy releases would show this$/,
    )
  })
})

it('bounds a rate from above with the confidence asked for', () => {
  expect(upperBoundOfRate({ bad: 0, total: 1000 }, 0.01)).toBeCloseTo(Math.log(100) / 1000, 4)
  expect(upperBoundOfRate({ bad: 150, total: 50_000 }, 0.01)).toBeGreaterThan(0.0036)
  expect(upperBoundOfRate({ bad: 150, total: 50_000 }, 0.01)).toBeLessThan(0.0041)
  expect(upperBoundOfRate({ bad: 0, total: 0 }, 0.01)).toBe(1)
})
