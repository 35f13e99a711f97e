import { describe, expect, it } from 'vitest'
import { bucketOf, LATENCY_BUCKETS } from '../shared/histogram.ts'
import type { SideCounts } from './batch.ts'
import { noRequests } from './batch.ts'
import { judgeCriteria } from './criteria.ts'
import { healthTargets } from './health-targets.ts'

const side = (requests: number, errors: number, latencyMs = 40): SideCounts => ({
  requests,
  errors,
  latencyBuckets: new Array<number>(LATENCY_BUCKETS).fill(0).with(bucketOf(latencyMs), requests),
})

describe('criteria of a stage', () => {
  it('give no verdict on too few requests', () => {
    const [one] = judgeCriteria({ errorRatePercent: 1 }, { candidate: side(19, 0), stable: side(500, 0) }, 20)
    expect(one).toMatchObject({ met: null, sentence: 'error rate: 19 of 20 requests needed for a verdict' })
  })

  it('are met below the limit, not at it', () => {
    const met = (errors: number) =>
      judgeCriteria({ errorRatePercent: 1 }, { candidate: side(1000, errors), stable: side(1000, 0) }, 20)[0]
        ?.met
    expect([met(9), met(10), met(11)]).toEqual([true, false, false])
  })

  it('do not hold the candidate for what stable misses at the same time, if stable was asked enough', () => {
    const met = (stable: SideCounts) =>
      judgeCriteria({ p99Ms: 100 }, { candidate: side(100, 0, 400), stable }, 20)[0]?.met
    expect(met(side(100, 0, 400))).toBe(true)
    expect(met(side(19, 0, 400))).toBe(false)
    expect(met(side(100, 0, 10))).toBe(false)
  })

  it('each speak for themselves', () => {
    const all = judgeCriteria(
      { errorRatePercent: 1, successRatePercent: 99, p95Ms: 50, p99Ms: 60 },
      { candidate: side(100, 0), stable: noRequests() },
      20,
    )
    expect(all.map(({ name, met }) => [name, met])).toEqual([
      ['error rate', true],
      ['success rate', true],
      ['p95 latency', true],
      ['p99 latency', true],
    ])
  })
})

describe('health targets', () => {
  it('say "no data" and neither met nor missed without requests', () => {
    for (const target of healthTargets(noRequests()))
      expect(target).toMatchObject({ value: 'no data', met: null })
  })
})
