import { describe, expect, it } from 'vitest'
import type { StageCriteria } from '../release/strategy-settings.ts'
import { bucketOf, LATENCY_BUCKETS } from '../shared/histogram.ts'
import type { SideCounts } from './batch.ts'
import { noRequests } from './batch.ts'
import { judgeCriteria } from './criteria.ts'
import { healthTargets } from './health-targets.ts'

const AT = { minRequests: 20, weightPermille: 500 }

const side = (requests: number, errors: number, latencyMs = 40): SideCounts => ({
  requests,
  errors,
  latencyBuckets: new Array<number>(LATENCY_BUCKETS).fill(0).with(bucketOf(latencyMs), requests),
})

describe('criteria of a stage', () => {
  it('give no verdict on too few requests', () => {
    const [one] = judgeCriteria({ errorRatePercent: 1 }, { candidate: side(19, 0), stable: side(500, 0) }, AT)
    expect(one).toMatchObject({ met: null, sentence: 'error rate: 19 of 20 requests needed for a verdict' })
  })

  it('are met below the limit, not at it', () => {
    const met = (errors: number) =>
      judgeCriteria({ errorRatePercent: 1 }, { candidate: side(1000, errors), stable: side(1000, 0) }, AT)[0]
        ?.met
    expect([met(9), met(10), met(11)]).toEqual([true, false, false])
  })

  it('do not hold the candidate for what stable misses at the same time, if stable was asked enough', () => {
    const met = (stable: SideCounts) =>
      judgeCriteria({ p99Ms: 100 }, { candidate: side(100, 0, 400), stable }, AT)[0]?.met
    expect(met(side(100, 0, 400))).toBe(true)
    expect(met(side(19, 0, 400))).toBe(false)
    expect(met(side(100, 0, 10))).toBe(false)
  })

  it('hold a candidate that misses by far more what stable misses, too', () => {
    const [errors] = judgeCriteria(
      { errorRatePercent: 0.5 },
      { candidate: side(1000, 27), stable: side(1000, 6) },
      AT,
    )
    expect(errors).toMatchObject({
      met: false,
      sentence: 'error rate 2.7% does not meet < 0.5%; stable with 0.60% does not either, but by far less',
    })
    const met = (candidate: SideCounts) =>
      judgeCriteria(
        { errorRatePercent: 0.5, successRatePercent: 99.9, p99Ms: 100 },
        { candidate, stable: side(1000, 6, 190) },
        AT,
      ).map((one) => one.met)
    expect(met(side(1000, 12, 250))).toEqual([true, true, true])
    expect(met(side(1000, 13, 450))).toEqual([false, false, false])
  })

  it('each speak for themselves', () => {
    const all = judgeCriteria(
      { errorRatePercent: 1, successRatePercent: 99, p95Ms: 50, p99Ms: 60 },
      { candidate: side(100, 0), stable: noRequests() },
      AT,
    )
    expect(all.map(({ name, met }) => [name, met])).toEqual([
      ['error rate', true],
      ['success rate', true],
      ['p95 latency', true],
      ['p99 latency', true],
    ])
  })
})

describe('criteria beside stable', () => {
  const one = (criteria: StageCriteria, candidate: SideCounts, stable: SideCounts, weightPermille = 500) =>
    judgeCriteria(criteria, { candidate, stable }, { minRequests: 20, weightPermille })[0]

  it.each([
    [2, 15, true],
    [2, 30, true],
    [2, 31, false],
    [0, 10, true],
  ])('allow %d points of errors over the 1 percent of stable', (points, errors, met) => {
    expect(one({ errorPointsOverStable: points }, side(1000, errors), side(1000, 10))).toMatchObject({ met })
  })

  it('need requests on both sides', () => {
    expect(one({ errorPointsOverStable: 1 }, side(1000, 0), side(19, 0))?.met).toBeNull()
    expect(one({ errorPointsOverStable: 1 }, side(19, 0), side(1000, 0))?.met).toBeNull()
  })

  it.each([
    [50, 950, 50, true],
    [45, 955, 50, true],
    [44, 956, 50, false],
    [0, 1000, 50, false],
    [900, 100, 900, true],
    [500, 500, 900, false],
  ])('ask for 90 percent of the share: %d beside %d at %d per mille', (ours, theirs, weightPermille, met) => {
    const found = one({ throughputPercent: 90 }, side(ours, 0), side(theirs, 0), weightPermille)
    expect(found).toMatchObject({ met, name: 'throughput' })
  })

  it('say how seldom a share that is too small comes by chance', () => {
    const sentence = (ours: number, theirs: number) =>
      one({ throughputPercent: 90 }, side(ours, 0), side(theirs, 0))?.sentence
    expect(sentence(30, 40)).toContain('which may be chance')
    expect(sentence(3000, 7000)).toContain(
      '3000 of 5000 requests due (60.0%) does not meet >= 90% of its share; fewer than 1 in 1,000,000,000',
    )
  })

  it('give no verdict on the share before enough requests are due', () => {
    expect(one({ throughputPercent: 90 }, side(0, 0), side(100, 0), 50)?.met).toBeNull()
    expect(one({ throughputPercent: 90 }, side(0, 0), side(400, 0), 50)?.met).toBe(false)
  })
})

const TARGETS = {
  errorRatePercent: 0.1,
  successRatePercent: 99.95,
  p99Ms: 500,
  cpuPercent: 70,
  memoryPercent: 80,
}
const USE = {
  cpus: 1,
  diskReadBytesPerSecond: 0,
  diskWrittenBytesPerSecond: 0,
  diskBytesPerInstanceSecond: 0,
  requestsPerSecond: 1,
}

describe('health targets', () => {
  it('say "no data" and neither met nor missed without requests', () => {
    const unknown = healthTargets(TARGETS, { counts: noRequests(), use: null })
    expect(unknown.map(({ name, value, met }) => [name, value, met])).toEqual([
      ['error rate', 'no data', null],
      ['success rate', 'no data', null],
      ['p99', 'no data', null],
      ['CPU', 'not known: this target cannot tell', null],
      ['memory', 'not known: this target cannot tell', null],
    ])
  })

  it('are met or missed by what the whole rollout showed; those that are off are not told', () => {
    const use = { ...USE, cpuPercent: 50, highestCpuPercent: 95, memoryPercent: 81, highestMemoryPercent: 82 }
    expect(healthTargets(TARGETS, { counts: side(10_000, 8), use })).toMatchObject([
      { name: 'error rate', limit: '< 0.1%', met: true },
      { name: 'success rate', value: '99.92%', limit: '> 99.95%', met: false },
      { name: 'p99' },
      { name: 'CPU', value: '50.0%, at most 95.0%', limit: '< 70%', met: true },
      { name: 'memory', limit: '< 80%', met: false },
    ])
    expect(healthTargets({}, { counts: side(10, 0), use })).toEqual([])
  })
})
