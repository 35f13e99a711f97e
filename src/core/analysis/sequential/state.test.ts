import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Batch } from './batch.ts'
import { Metric, type MetricInput } from './metric.ts'
import { addBatch, newState, SequentialState, verdictOf } from './state.ts'

const metricOf = (input: Partial<MetricInput> = {}): Metric =>
  Metric.parse({ name: 'errors', kind: 'ratio', ...input })
const errors = metricOf()

/** x of n bad against y of m. */
const batch = (x: number, n: number, y: number, m: number): Batch => ({
  candidate: { bad: x, total: n },
  stable: { bad: y, total: m },
})
const stateAfter = (metric: Metric, batches: readonly Batch[]): SequentialState =>
  batches.reduce((state, next) => addBatch(metric, state, next), newState())

const THREE = [batch(3, 1000, 1, 1000), batch(9, 500, 4, 4500), batch(0, 200, 1, 100)]

type Counted = readonly [x: number, n: number, y: number, m: number]
type Asked = { ratio: number; share: number; phi: number }

/** The formula of the method as it stands in the docs: products of powers, averaged over the alternatives, then the logarithm. */
function byHand(batches: readonly Counted[], { ratio, share, phi }: Asked): number {
  const products = [1.5, 2, 3, 5, 10, 30, 100].map((times) =>
    batches.reduce((product, [x, n, y, m]) => {
      const rho = n / (n + m)
      const psi = ratio * times
      const c = (rho * psi + 1 - rho) / (rho * ratio + 1 - rho)
      const a = psi / ratio / c
      return product * a ** (x / phi) * (1 / c) ** (y / phi) * Math.exp((-n / phi) * share * (a - 1))
    }, 1),
  )
  return Math.log(products.reduce((sum, product) => sum + product, 0) / products.length)
}

describe('the evidence of a metric', () => {
  it('has the values that were computed outside of this program', () => {
    const one = stateAfter(errors, THREE.slice(0, 1))
    expect(verdictOf(errors, one, 0.01)).toMatchObject({
      verdict: 'watching',
      logEvalue: expect.closeTo(-0.3765907336597248, 12),
      logFine: expect.closeTo(3.048665875963831, 12),
      threshold: expect.closeTo(4.605170185988092, 12),
      pValue: 1,
    })
    const logOf = (metric: Metric): number => verdictOf(metric, stateAfter(metric, THREE), 0.01).logEvalue
    expect(logOf(errors)).toBeCloseTo(6.27205385118074, 11)
    expect(logOf(metricOf({ tolerance: { ratio: 1.5, points: 0.2 } }))).toBeCloseTo(2.9351100965817047, 11)
    expect(logOf(metricOf({ tolerance: { points: 0 }, dispersion: 2.5 }))).toBeCloseTo(3.2495694891251232, 11)
    expect(logOf(metricOf({ direction: 'less-is-worse' }))).toBeCloseTo(-5.718920174112933, 11)
  })

  it('of a histogram is the average over bounds and alternatives, and the weakest bound for "not worse"', () => {
    const latency = metricOf({ kind: 'histogram', bounds: [50, 100, 500] })
    const state = stateAfter(latency, [
      { candidate: { counts: [100, 50, 30, 20] }, stable: { counts: [900, 60, 30, 10] } },
      { candidate: { counts: [80, 10, 5, 5] }, stable: { counts: [95, 3, 1, 1] } },
    ])
    const { logEvalue, logFine } = verdictOf(latency, state, 0.01)
    expect(logEvalue).toBeCloseTo(59.99264582746225, 10)
    expect(logFine).toBeCloseTo(-2.2078545838918666, 10)
    expect(state.worse).toHaveLength(21)
  })

  it('follows the formula for any counts, split, tolerance and dispersion', () => {
    const counted = fc
      .tuple(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 500 }), fc.nat(20), fc.nat(20))
      .map(([n, m, x, y]): Counted => [Math.min(x, n), n, Math.min(y, m), m])
    fc.assert(
      fc.property(
        fc.array(counted, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(1, 1.5, 4),
        fc.constantFrom(0, 0.1, 2),
        fc.constantFrom(1, 1.7),
        (batches, ratio, points, phi) => {
          const metric = metricOf({ tolerance: { ratio, points }, dispersion: phi })
          const state = stateAfter(
            metric,
            batches.map((one) => batch(...one)),
          )
          expect(verdictOf(metric, state, 0.01).logEvalue).toBeCloseTo(
            byHand(batches, { ratio, share: points / 100, phi }),
            7,
          )
        },
      ),
    )
  })

  it('of a rate is that of the same counts of requests', () => {
    const crashes = metricOf({ kind: 'rate' })
    const state = addBatch(crashes, newState(), {
      candidate: { events: 3, exposure: 1000 },
      stable: { events: 1, exposure: 1000 },
    })
    expect(state.worse).toEqual(stateAfter(errors, THREE.slice(0, 1)).worse)
  })

  it('in either direction is two tests at half of the budget', () => {
    const either = metricOf({ kind: 'rate', direction: 'either', tolerance: { points: 0 } })
    const fewer: Batch = { candidate: { events: 2, exposure: 100 }, stable: { events: 40, exposure: 100 } }
    const less = metricOf({ kind: 'rate', direction: 'less-is-worse', tolerance: { points: 0 } })
    const alone = verdictOf(less, stateAfter(less, [fewer]), 0.01)
    const both = verdictOf(either, stateAfter(either, [fewer]), 0.01)
    expect(both).toMatchObject({ verdict: 'worse', logEvalue: alone.logEvalue })
    expect(both.threshold).toBeCloseTo(Math.log(200), 12)
    expect(both.pValue).toBeCloseTo(2 * alone.pValue, 12)
  })
})

describe('the state of a metric', () => {
  const anyBatches = fc.array(
    fc
      .tuple(fc.nat(30), fc.integer({ min: 0, max: 2000 }), fc.nat(30), fc.integer({ min: 0, max: 2000 }))
      .map(([x, n, y, m]) => batch(Math.min(x, n), n, Math.min(y, m), m)),
    { maxLength: 12 },
  )

  it('survives JSON at any moment bit for bit, so a restart changes nothing', () => {
    fc.assert(
      fc.property(anyBatches, (batches) => {
        const restarted = batches.reduce(
          (state, next) => SequentialState.parse(JSON.parse(JSON.stringify(addBatch(errors, state, next)))),
          newState(),
        )
        expect(restarted).toEqual(stateAfter(errors, batches))
      }),
    )
  })

  it('ends with the same evidence whatever the order of the batches', () => {
    fc.assert(
      fc.property(
        anyBatches.chain((batches) =>
          fc.tuple(
            fc.constant(batches),
            fc.shuffledSubarray(batches, { minLength: batches.length, maxLength: batches.length }),
          ),
        ),
        ([batches, shuffled]) => {
          const one = verdictOf(errors, stateAfter(errors, batches), 0.01)
          const other = verdictOf(errors, stateAfter(errors, shuffled), 0.01)
          expect(Math.abs(one.logEvalue - other.logEvalue)).toBeLessThan(1e-9)
          expect(Math.abs(one.logFine - other.logFine)).toBeLessThan(1e-9)
        },
      ),
    )
  })

  it('learns nothing from a batch that lacks one version, but counts it for people', () => {
    const state = stateAfter(errors, [batch(50, 100, 0, 0), batch(0, 0, 3, 900)])
    expect(verdictOf(errors, state, 0.01)).toMatchObject({ verdict: 'no-data', logEvalue: 0, pValue: 1 })
    expect(state).toMatchObject({ batches: 2, compared: 0, counted: { candidate: { bad: 50, total: 100 } } })
    const later = stateAfter(errors, [batch(50, 100, 0, 0), ...THREE])
    expect(later.worse).toEqual(stateAfter(errors, THREE).worse)
  })

  it('keeps a crossing, whatever comes later', () => {
    const crossed = stateAfter(errors, [batch(60, 1000, 1, 1000)])
    expect(verdictOf(errors, crossed, 0.01).verdict).toBe('worse')
    const later = addBatch(errors, crossed, batch(0, 200_000, 300, 200_000))
    const standing = verdictOf(errors, later, 0.01)
    expect(standing.logEvalue).toBeLessThan(standing.threshold)
    expect(standing).toMatchObject({ verdict: 'worse', pValue: Math.exp(-crossed.peak) })
  })

  it('is not fooled by weights that rise while the service gets worse for both (Simpson)', () => {
    const rising = [
      batch(10, 5000, 190, 95_000),
      batch(125, 25_000, 375, 75_000),
      batch(600, 50_000, 600, 50_000),
    ]
    expect(verdictOf(errors, stateAfter(errors, rising), 0.01).verdict).not.toBe('worse')
    // Pooled, the candidate would have had 0.92% against 0.53%.
    const pooled = verdictOf(errors, stateAfter(errors, [batch(735, 80_000, 1165, 220_000)]), 0.01)
    expect(pooled.verdict).toBe('worse')
  })

  it('stays exact for huge and lopsided counts', () => {
    const same = stateAfter(errors, [batch(1e9, 1e12, 1e9, 1e12)])
    const { logEvalue, verdict } = verdictOf(errors, same, 0.01)
    expect(Number.isFinite(logEvalue)).toBe(true)
    expect(verdict).toBe('not-worse')
    const tiny = metricOf({ tolerance: { points: 0 } })
    const one = stateAfter(tiny, [batch(1, 1, 1e10, 1e12)])
    // ln of the average of 1.5, 2, ... each times exp(-0.01 (k - 1)): the other side is so large that its share is known.
    const known = [1.5, 2, 3, 5, 10, 30, 100].map((k) => k * Math.exp(-0.01 * (k - 1)))
    expect(verdictOf(tiny, one, 0.01).logEvalue).toBeCloseTo(
      Math.log(known.reduce((sum, value) => sum + value, 0) / 7),
      6,
    )
    const extreme = metricOf({ tolerance: { ratio: 1000, points: 100 } })
    const state = stateAfter(extreme, [batch(1e12, 1e12, 0, 1), batch(0, 1, 1e12, 1e12)])
    expect([...state.worse, ...state.fine].every(Number.isFinite)).toBe(true)
  })
})

describe('the verdict', () => {
  it('is not-worse once a rise that matters is ruled out', () => {
    const good = Array.from({ length: 12 }, () => batch(2, 500, 2, 500))
    const state = stateAfter(errors, good)
    expect(verdictOf(errors, state, 0.01)).toMatchObject({ verdict: 'not-worse', pValue: 1 })
    expect(verdictOf(errors, stateAfter(errors, good.slice(0, 2)), 0.01).verdict).toBe('watching')
  })

  it('on the fine grid finds a small fall of what is frequent, which the coarse one never would', () => {
    const orders = { kind: 'ratio', direction: 'less-is-worse', tolerance: { points: 0 } } as const
    const fewer = Array.from({ length: 20 }, () => batch(450, 10_000, 500, 10_000))
    const fine = metricOf({ ...orders, grid: 'fine' })
    const coarse = metricOf(orders)
    expect(verdictOf(fine, stateAfter(fine, fewer), 0.01).verdict).toBe('worse')
    expect(verdictOf(coarse, stateAfter(coarse, fewer), 0.01).logEvalue).toBeLessThan(0)
    const same = Array.from({ length: 20 }, () => batch(500, 10_000, 500, 10_000))
    expect(verdictOf(fine, stateAfter(fine, same), 0.01).verdict).toBe('not-worse')
  })

  it('needs every direction for not-worse', () => {
    const either = metricOf({ direction: 'either' })
    const fewer = Array.from({ length: 12 }, () => batch(2, 500, 5, 500))
    expect(verdictOf(either, stateAfter(either, fewer), 0.01).verdict).toBe('watching')
    const same = Array.from({ length: 12 }, () => batch(2, 500, 2, 500))
    expect(verdictOf(either, stateAfter(either, same), 0.01).verdict).toBe('not-worse')
  })

  it('refuses sides that were not counted for the metric', () => {
    const events: Batch = { candidate: { events: 1, exposure: 2 }, stable: { events: 1, exposure: 2 } }
    expect(() => addBatch(errors, newState(), events)).toThrow('not counted for a ratio')
    const latency = metricOf({ kind: 'histogram', bounds: [1, 2] })
    const short: Batch = { candidate: { counts: [1, 2] }, stable: { counts: [1, 2] } }
    expect(() => addBatch(latency, newState(), short)).toThrow('2 counts do not fit 2 bounds')
  })
})
