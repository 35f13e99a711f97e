import { describe, expect, it } from 'vitest'
import { chance, draw } from '../chance.test.fixture.ts'
import type { Batch } from './batch.ts'
import { requestsNeeded } from './growth.ts'
import { Metric, type MetricInput } from './metric.ts'
import { addBatch, newState, verdictOf } from './state.ts'

const metricOf = (input: Partial<MetricInput> = {}): Metric =>
  Metric.parse({ name: 'errors', kind: 'ratio', tolerance: { points: 0 }, ...input })
const batch = (x: number, n: number, y: number, m: number): Batch => ({
  candidate: { bad: x, total: n },
  stable: { bad: y, total: m },
})
const budget = { alpha: 0.01, beta: 0.01 }

/** One batch of a single candidate request, which is hardly any evidence, at a base rate of 0.1%. */
const begun = (m: number) => addBatch(metricOf(), newState(), batch(0.001, 1, 0.001 * m, m))

describe('the requests that are still needed', () => {
  it.each([
    // Threshold and alternatives over the growth at psi = 10: ln 700 / D, from 0.1% to 1%.
    [1, 0.9, 1530],
    [9, 0.9, 605],
    [1, 0.4, 4500],
    [9, 0.4, 1960],
    [1, 0.1, 38_600],
  ])(
    'with a baseline of %i times the size and a rise of %f points are about %i, as the method says',
    (m, points, expected) => {
      const { toNotice } = requestsNeeded(metricOf({ notice: { points } }), begun(m), budget)
      expect((toNotice ?? 0) / expected).toBeGreaterThan(0.98)
      expect((toNotice ?? 0) / expected).toBeLessThan(1.02)
    },
  )

  it('are a good guess of what a simulation takes', () => {
    const metric = metricOf({ notice: { points: 1 } })
    const guess = requestsNeeded(metric, begun(1), budget).toNotice ?? 0
    const random = chance(11)
    const taken = Array.from({ length: 61 }, () => {
      let state = newState()
      let asked = 0
      while (verdictOf(metric, state, 0.01).verdict !== 'worse') {
        state = addBatch(metric, state, batch(draw(random, 50, 0.011), 50, draw(random, 50, 0.001), 50))
        asked += 50
      }
      return asked
    }).toSorted((a, b) => a - b)
    expect((taken[30] ?? 0) / guess).toBeGreaterThan(0.5)
    expect((taken[30] ?? 0) / guess).toBeLessThan(1.2)
  })

  it('shrink as evidence grows, and grow with the dispersion', () => {
    const metric = metricOf()
    const some = addBatch(metric, newState(), batch(8, 500, 2, 500))
    const none = addBatch(metric, newState(), batch(2, 500, 2, 500))
    const needed = requestsNeeded(metric, some, budget).toNotice ?? 0
    expect(needed).toBeLessThan(requestsNeeded(metric, none, budget).toNotice ?? 0)
    const wobbling = requestsNeeded(metricOf({ dispersion: 3 }), begun(1), budget).toNotice ?? 0
    expect(wobbling / (requestsNeeded(metric, begun(1), budget).toNotice ?? 0)).toBeCloseTo(3, 1)
  })

  it('to rule a rise out are no number where the share is too high for it', () => {
    const low = addBatch(metricOf(), newState(), batch(5, 500, 5, 500))
    expect(requestsNeeded(metricOf(), low, budget).toRuleOut).toBeGreaterThan(500)
    const high = addBatch(metricOf(), newState(), batch(150, 500, 150, 500))
    expect(requestsNeeded(metricOf(), high, budget).toRuleOut).toBeNull()
  })

  it('are known for a histogram and for "less is worse", and not without data', () => {
    const latency = metricOf({ kind: 'histogram', bounds: [100, 500] })
    const slow: Batch = { candidate: { counts: [90, 8, 2] }, stable: { counts: [900, 80, 20] } }
    const { toNotice } = requestsNeeded(latency, addBatch(latency, newState(), slow), budget)
    expect(toNotice).toBeGreaterThan(100)
    const less = metricOf({ direction: 'less-is-worse' })
    const state = addBatch(less, newState(), batch(30, 1000, 30, 1000))
    expect(requestsNeeded(less, state, budget).toNotice).toBeGreaterThan(1000)
    expect(requestsNeeded(less, newState(), budget)).toEqual({ toNotice: null, toRuleOut: null })
  })
})
