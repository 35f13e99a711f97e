import { describe, expect, it } from 'vitest'
import { simulatedSettings } from '../../../testkit/simulator/settings.ts'
import { bucketOf, LATENCY_BUCKETS } from '../../shared/histogram.ts'
import type { Batch, SideCounts } from '../batch.ts'
import { noRequests } from '../batch.ts'
import { type Check, checksOf } from '../check.ts'
import { addBatch, type CheckState, evidenceNow, newCheckState, verdictOf } from '../judge.ts'
import { noHostUse, noUse } from '../resources/use-sums.ts'
import { baselineTable } from './baseline-table.ts'
import { checkEvidence } from './check-evidence.ts'
import type { CheckEvidence } from './evidence.ts'
import type { Look } from './trail.ts'
import { unseenBy } from './unseen.ts'

const REST = {
  use: { candidate: noUse(), stable: noUse(), host: noHostUse() },
  targets: {
    errorRatePercent: 0.1,
    successRatePercent: 99.95,
    p50Ms: 100,
    p95Ms: 300,
    p99Ms: 500,
    cpuPercent: 70,
    memoryPercent: 80,
  },
}
const SETTINGS = simulatedSettings({
  analysis: {
    critical: { errorRatePercent: 5, p99Ms: 1000, p95TimesStable: 2 },
    warning: { errorPointsOverStable: 2 },
  },
}).analysis

/** So many requests, all of one latency. */
function side(requests: number, errors: number, latencyMs = 30): SideCounts {
  const latencyBuckets = new Array<number>(LATENCY_BUCKETS).fill(0)
  latencyBuckets[bucketOf(latencyMs)] = requests
  return { requests, errors, latencyBuckets }
}

type Round = { candidate: SideCounts; stable: SideCounts; phi?: number; isWarmingUp?: boolean }

function judged(rounds: readonly Round[]): { looks: Look[]; of(name: string): CheckEvidence } {
  const checks = checksOf(SETTINGS)
  let states = checks.map(newCheckState)
  let counted = { candidate: noRequests(), stable: noRequests() }
  const looks = rounds.map(({ candidate, stable, phi = 1, isWarmingUp = false }, index): Look => {
    const at = 1000 * (index + 1)
    const lost = { requests: 0, unroutable: 0, cutOnDrain: 0 }
    const batch: Batch = { at, sinceAt: at - 1000, candidate, stable, ...lost }
    counted = { candidate: plus(counted.candidate, candidate), stable: plus(counted.stable, stable) }
    const context = { counted, dispersion: { errors: phi, latency: phi }, isWarmingUp }
    states = checks.map((check, at) => addBatch(check, states[at] ?? newCheckState(check), batch, context))
    const known = { phi, evidence: 'full' as const, minutes: 60 }
    return {
      batch,
      isWarmingUp,
      dispersions: { errors: known, latency: known },
      checks: checks.map((check, at) => lookOf(check, states[at] ?? newCheckState(check))),
    }
  })
  const of = (name: string): CheckEvidence => {
    const index = checks.findIndex((check) => check.name === name)
    const [check, state] = [checks[index], states[index]]
    if (check === undefined || state === undefined) throw new Error(`no check ${name}`)
    const { verdict } = verdictOf(check, state, counted)
    const dispersion = { phi: rounds.at(-1)?.phi ?? 1, evidence: 'full' as const, minutes: 60 }
    return checkEvidence({ check, state, index }, looks, { verdict, sentence: '', threshold: '', dispersion })
  }
  return { looks, of }
}

const lookOf = (check: Check, state: CheckState) => ({
  logE: evidenceNow(check, state),
  boundMs: state.boundMs,
})
const plus = (a: SideCounts, b: SideCounts): SideCounts => ({
  requests: a.requests + b.requests,
  errors: a.errors + b.errors,
  latencyBuckets: a.latencyBuckets.map((count, index) => count + (b.latencyBuckets[index] ?? 0)),
})
const times = (count: number, round: Round): Round[] => Array.from({ length: count }, () => round)

describe('the evidence of a check', () => {
  it('gives the batch of the first crossing, and stays worse when the rest is good', () => {
    const { of } = judged([
      ...times(3, { candidate: side(100, 0), stable: side(100, 0) }),
      ...times(4, { candidate: side(100, 10), stable: side(100, 0) }),
      ...times(20, { candidate: side(100, 0), stable: side(100, 0) }),
    ])
    const errors = of('errors against stable')
    expect(errors).toMatchObject({ verdict: 'worse', looks: 27, candidate: { bad: 40, total: 2700 } })
    expect(errors.crossedAtBatch).toBeGreaterThan(3)
    expect(errors.crossedAtBatch).toBeLessThan(8)
    expect(errors.crossedAt).toBe(1000 * (errors.crossedAtBatch ?? 0))
    expect(errors.logE).toBeLessThan(errors.peakLogE)
    expect(errors.pValue).toBeCloseTo(Math.exp(-errors.peakLogE), 12)
    expect(errors.oneIn).toBe(Math.floor(Math.min(1e9, Math.exp(errors.peakLogE))))
  })

  it('shows less where counts vary by themselves: evidence, and the least it can be, are divided', () => {
    const rounds = times(20, { candidate: side(100, 6), stable: side(100, 1) })
    const plain = judged(rounds).of('errors against stable')
    const wobbly = judged(rounds.map((round) => ({ ...round, phi: 3 }))).of('errors against stable')
    expect(plain.verdict).toBe('worse')
    expect(wobbly.peakLogE).toBeLessThan(plain.peakLogE)
    expect(wobbly.atLeast.points ?? 0).toBeLessThan(plain.atLeast.points ?? 0)
    expect(wobbly.passing ?? 0).toBeGreaterThan(plain.passing ?? 0)
    const even = { candidate: side(100, 1), stable: side(100, 1) }
    const needed = [1, 3].map((phi) => judged(times(9, { ...even, phi })).of('errors against stable').needed)
    expect(needed[1]?.toNotice ?? 0).toBeGreaterThan(2 * (needed[0]?.toNotice ?? 0))
  })

  it('bounds a limit from what was counted, and says what would have passed it', () => {
    const { of } = judged(times(20, { candidate: side(100, 15), stable: side(100, 0) }))
    const limit = of('error rate (critical)')
    expect(limit).toMatchObject({ verdict: 'worse', limitShare: 0.05, needed: { toRuleOut: null } })
    expect(limit.atLeast.share).toBeGreaterThan(0.05)
    expect(limit.atLeast.share).toBeLessThan(0.15)
    expect(limit.passing).toBeGreaterThan(0.05)
    expect(limit.passing).toBeLessThan(0.15)
    expect(limit.leastNoticed).toBeNull()
  })

  it('takes a guard over stable for the comparison that it is', () => {
    const { of } = judged(times(20, { candidate: side(100, 12), stable: side(100, 1) }))
    const guard = of('errors over stable (warning)')
    expect(guard.verdict).toBe('worse')
    expect(guard.atLeast.points).toBeGreaterThan(2)
    expect(guard.atLeast.points).toBeLessThan(11)
  })

  it('counts what was slower than the bound with the strongest evidence, and nothing of the warm-up', () => {
    const slow = { candidate: side(100, 0, 400), stable: side(100, 0, 30) }
    const { of } = judged([...times(2, { ...slow, isWarmingUp: true }), ...times(10, slow)])
    const latency = of('latency against stable')
    expect(latency).toMatchObject({ verdict: 'worse', looks: 10, about: 'latency' })
    expect([50, 100, 200, 300]).toContain(latency.boundMs)
    expect(latency).toMatchObject({ candidate: { bad: 1000, total: 1000 }, stable: { bad: 0, total: 1000 } })
    expect(latency.passing).toBeNull()
  })

  it('begins to count a multiple of stable with the batch in which its bound was chosen', () => {
    const fast = { candidate: side(40, 0, 30), stable: side(40, 0, 30) }
    expect(judged(times(5, fast)).of('p95 over stable (critical)')).toMatchObject({ looks: 3, boundMs: 75 })
  })

  it('says nothing of a candidate without requests', () => {
    const idle = judged(times(3, { candidate: side(0, 0), stable: side(100, 1) })).of('errors against stable')
    expect(idle).toMatchObject({
      verdict: 'no-data',
      atLeast: { ratio: null, points: null },
      passing: null,
      leastNoticed: null,
      needed: { toNotice: null },
    })
  })

  it('draws many batches together and loses neither the highest evidence nor a request', () => {
    const { of } = judged([
      ...times(300, { candidate: side(10, 0), stable: side(10, 0) }),
      ...times(20, { candidate: side(10, 5), stable: side(10, 0) }),
      ...times(300, { candidate: side(10, 0), stable: side(10, 0) }),
    ])
    const errors = of('errors against stable')
    expect(errors.points).toHaveLength(240)
    expect(Math.max(...errors.points.map(({ logE }) => logE))).toBe(errors.peakLogE)
    expect(errors.candidate.total).toBe(6200)
  })
})

describe('what nobody would have noticed', () => {
  it('shrinks with the requests, and is the rise that as many requests show', () => {
    const good: Round = { candidate: side(100, 1), stable: side(100, 1) }
    const [few, many] = [5, 80].map((count) => judged(times(count, good)).of('errors against stable'))
    expect(few?.leastNoticed?.requests).toBe(500)
    expect(many?.leastNoticed?.points ?? 100).toBeLessThan(few?.leastNoticed?.points ?? 0)
  })

  it('leaves out requests that had no other version beside them', () => {
    const { of } = judged([
      ...times(5, { candidate: side(100, 0), stable: side(100, 0) }),
      ...times(5, { candidate: side(100, 0), stable: side(0, 0) }),
    ])
    expect(of('errors against stable').leastNoticed?.requests).toBe(500)
  })

  it('is told in sentences', () => {
    const rounds = [
      { candidate: side(100, 0), stable: side(0, 0), isWarmingUp: true },
      ...times(5, { candidate: side(100, 0), stable: side(100, 0) }),
    ]
    const { looks, of } = judged(rounds)
    const sentences = unseenBy([of('errors against stable')], looks, 2)
    expect(sentences[0]).toMatch(
      /^errors against stable: a rise of less than about [\d.]+ points would not have been noticed with 500 requests/,
    )
    expect(sentences[1]).toMatch(/^In 1 of 6 batches only one version had requests/)
    expect(sentences[2]).toMatch(/^In 1 of 6 batches a step had just begun/)
    expect(sentences[3]).toBe('The numbers could not be read 2 times.')
  })
})

describe('the table of before and now', () => {
  const { looks } = judged(times(10, { candidate: side(50, 1, 60), stable: side(200, 0, 30) }))

  it('takes stable beside the candidate where nothing was recorded', () => {
    const { before, rows, notes } = baselineTable({ recorded: null, looks, ...REST })
    expect(before).toBe('rollout')
    expect(notes).toEqual([expect.stringContaining('this target cannot tell')])
    expect(rows).toMatchObject([
      {
        metric: 'requests/s',
        before: 'not recorded',
        stable: '200.0',
        now: '50.0',
        change: '-',
        status: 'none',
      },
      {
        metric: 'error rate',
        before: 'not recorded',
        stable: '0.0%',
        now: '2.0%',
        change: '+2 points',
        target: '< 0.1%',
        status: 'missed',
      },
      { metric: 'success rate', status: 'missed' },
      { metric: 'p50', status: 'met' },
      { metric: 'p95', status: 'met' },
      { metric: 'p99', status: 'met' },
      {
        metric: 'CPU',
        stable: 'not known',
        now: 'not known',
        change: '-',
        target: '< 70%',
        status: 'not-known',
      },
      { metric: 'CPU at most', status: 'none' },
      { metric: 'memory', status: 'not-known' },
      { metric: 'memory at most' },
      { metric: 'disk read' },
      { metric: 'disk written' },
      { metric: 'host disk busy' },
      { metric: 'network in', now: 'not known' },
      { metric: 'network out' },
    ])
    expect(rows[3]?.change).toMatch(/^\+\d+%$/)
  })

  it('takes the record of stable before the rollout where there is one', () => {
    const spread = { spread: 0, freedom: 0, minutes: 0 }
    const recorded = {
      release: 'r',
      version: '1.0.0',
      since: 0,
      until: 1,
      spreads: { errors: spread, latency: spread },
      boundMs: null,
      requests: 1000,
      errorPercent: 2,
      requestsPerSecond: 12,
      p50Ms: 60,
      p95Ms: null,
      p99Ms: 700,
      bytesInPerSecond: null,
      bytesOutPerSecond: 1200,
      use: {
        ...{ cpus: 0.12, cpuPercent: 6, highestCpuPercent: 20, memoryPercent: 30, highestMemoryPercent: 31 },
        ...{ diskReadBytesPerSecond: 0, diskWrittenBytesPerSecond: 1024, diskBytesPerInstanceSecond: 512 },
        requestsPerSecond: 12,
      },
      diskBusyPercent: 3,
    }
    const sums = {
      ...noUse(),
      ms: 10_000,
      requests: 500,
      cpuMs: 10_000,
      cpuPercentMs: 500_000,
      memoryPercentMs: 350_000,
    }
    const use = { candidate: sums, stable: noUse(), host: noHostUse() }
    const { before, rows, notes } = baselineTable({ recorded, looks, use, targets: REST.targets })
    const row = (metric: string) => rows.find((one) => one.metric === metric)
    expect(row('CPU')).toMatchObject({
      ...{ before: '6.0%', stable: 'not known', now: '50.0%', change: '+100% a request' },
      ...{ target: '< 70%', status: 'met' },
    })
    expect(row('memory')).toMatchObject({ change: '+5 points' })
    expect(row('host disk busy')).toMatchObject({ before: '3.0%', now: 'not known', change: '-' })
    expect(row('network out')).toMatchObject({ before: '1.2 KiB/s', now: 'not known' })
    expect(notes).toEqual([expect.stringContaining('this host does not tell')])
    expect(before).toBe('recorded')
    expect(rows[0]).toMatchObject({ before: '12.0', now: '50.0' })
    expect(rows[1]).toMatchObject({ before: '2.0%', change: 'none' })
    expect(rows[4]).toMatchObject({ before: 'no data', change: '-' })
    expect(rows[5]?.change).toMatch(/^-\d+%$/)
  })
})
