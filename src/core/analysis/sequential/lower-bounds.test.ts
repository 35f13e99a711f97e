import { describe, expect, it } from 'vitest'
import { chance, draw } from '../chance.test.fixture.ts'
import type { Batch } from './batch.ts'
import { decisiveMoment } from './decisive-moment.ts'
import { lowerBounds as boundsAt } from './lower-bounds.ts'
import { Metric, type MetricInput } from './metric.ts'
import { addBatch, newState, verdictOf } from './state.ts'

const metricOf = (input: Partial<MetricInput> = {}): Metric =>
  Metric.parse({ name: 'errors', kind: 'ratio', ...input })
const batch = (x: number, n: number, y: number, m: number): Batch => ({
  candidate: { bad: x, total: n },
  stable: { bad: y, total: m },
})
const logEvidence = (metric: Metric, batches: readonly Batch[]): number =>
  verdictOf(
    metric,
    batches.reduce((state, next) => addBatch(metric, state, next), newState()),
    0.01,
  ).logEvalue

const lowerBounds = (metric: Metric, batches: readonly Batch[], alpha: number) =>
  boundsAt(metric, decisiveMoment(metric, batches, alpha), alpha)

const BAD = [batch(40, 1000, 1, 1000), batch(110, 2000, 12, 6000)]

describe('the lower bounds', () => {
  it('are where the evidence against that tolerance just reaches the threshold', () => {
    const { ratio, points } = lowerBounds(metricOf(), BAD, 0.01)
    expect(ratio).toBeGreaterThan(5)
    expect(ratio).toBeLessThan(23)
    expect(logEvidence(metricOf({ tolerance: { ratio, points: 0 } }), BAD)).toBeCloseTo(Math.log(100), 9)
    expect(points).toBeGreaterThan(2)
    expect(points).toBeLessThan(4.8)
    expect(logEvidence(metricOf({ tolerance: { points } }), BAD)).toBeCloseTo(Math.log(100), 9)
  })

  it('lie above the truth in fewer than alpha of cases, looked at after every batch', () => {
    const random = chance(5)
    const metric = metricOf()
    const wrong = Array.from({ length: 200 }, () => {
      const batches = Array.from({ length: 20 }, () =>
        batch(draw(random, 200, 0.03), 200, draw(random, 400, 0.005), 400),
      )
      const { ratio, points } = lowerBounds(metric, batches, 0.05)
      return ratio > 6 || points > 2.5
    }).filter(Boolean)
    expect(wrong.length).toBeLessThanOrEqual(10)
  })

  it('agree with the verdict, also when later batches weakened the evidence', () => {
    const later = [...BAD, batch(0, 500_000, 900, 500_000)]
    const metric = metricOf({ tolerance: { ratio: 1.2, points: 0.1 } })
    expect(lowerBounds(metric, later, 0.01)).toEqual(lowerBounds(metric, BAD, 0.01))
  })

  it('show nothing for a candidate like stable, and for one that has nothing bad', () => {
    const same = lowerBounds(metricOf(), [batch(10, 1000, 10, 1000)], 0.01)
    expect(same.ratio).toBeLessThan(1)
    expect(same.points).toBe(0)
    expect(lowerBounds(metricOf(), [batch(0, 1000, 10, 1000)], 0.01)).toEqual({ ratio: 0, points: 0 })
  })

  it('are finite when stable has nothing bad at all', () => {
    const { ratio, points } = lowerBounds(metricOf(), [batch(30, 1000, 0, 1000)], 0.01)
    expect(ratio).toBeGreaterThan(3)
    expect(ratio).toBeLessThan(1e6)
    expect(points).toBeGreaterThan(1)
  })

  it('of "less is worse" are those of stable over the candidate', () => {
    const swapped = BAD.map(({ candidate, stable }): Batch => ({ candidate: stable, stable: candidate }))
    const less = metricOf({ direction: 'less-is-worse' })
    expect(lowerBounds(less, swapped, 0.01)).toEqual(lowerBounds(metricOf(), BAD, 0.01))
    const either = lowerBounds(metricOf({ direction: 'either' }), swapped, 0.02)
    expect(either).toEqual(lowerBounds(less, swapped, 0.01))
  })

  it('of a histogram hold for some bucket bound', () => {
    const latency = metricOf({ kind: 'histogram', bounds: [100, 500] })
    const slow: Batch = { candidate: { counts: [800, 100, 100] }, stable: { counts: [900, 90, 10] } }
    const { ratio, points } = lowerBounds(latency, [slow], 0.01)
    expect(ratio).toBeGreaterThan(3)
    expect(ratio).toBeLessThan(10)
    expect(points).toBeLessThan(10)
  })
})
