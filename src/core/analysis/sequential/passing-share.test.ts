import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Batch } from './batch.ts'
import { type DispersedBatch, decisiveMoment } from './decisive-moment.ts'
import { judgeMetric } from './judge.ts'
import { Metric, type MetricInput } from './metric.ts'
import { passingShare as passingIn } from './passing-share.ts'
import { addBatch, newState, verdictOf } from './state.ts'

const ALPHA = 0.01
const metricOf = (input: Partial<MetricInput> = {}): Metric =>
  Metric.parse({ name: 'errors', kind: 'ratio', ...input })
const batch = (x: number, n: number, y: number, m: number): Batch => ({
  candidate: { bad: x, total: n },
  stable: { bad: y, total: m },
})
const passingShare = (metric: Metric, batches: readonly DispersedBatch[]): number | null =>
  passingIn(metric, batches, { alpha: ALPHA, direction: decisiveMoment(metric, batches, ALPHA).direction })

/** As the product judges: batch after batch, each divided by what was known before it, a crossing is final. */
const isWorse = (metric: Metric, batches: readonly DispersedBatch[]): boolean => {
  const state = batches.reduce(
    (before, { dispersion = metric.dispersion, ...one }) => addBatch({ ...metric, dispersion }, before, one),
    newState(),
  )
  return verdictOf(metric, state, ALPHA).verdict === 'worse'
}

/** The candidate has this share in every batch. */
const withShare = (batches: readonly DispersedBatch[], share: number): DispersedBatch[] =>
  batches.map(({ candidate, ...rest }) => ({
    ...rest,
    candidate:
      'bad' in candidate
        ? { bad: Math.min(candidate.total, share * candidate.total), total: candidate.total }
        : 'events' in candidate
          ? { events: share * candidate.exposure, exposure: candidate.exposure }
          : candidate,
  }))

const BAD = [batch(40, 1000, 1, 1000), batch(110, 2000, 12, 6000)]

const size = fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 6, arbitrary: fc.nat(5000) })
const share = fc.oneof(
  fc.constantFrom(0, 1),
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: 0, max: 0.02, noNaN: true }),
)
const side = fc.record({ size, share })
const table = fc.array(
  fc.record({ candidate: side, stable: side, dispersion: fc.constantFrom(1, 1, 2.5, 7) }),
  { minLength: 1, maxLength: 40 },
)
const settings = fc.record({
  kind: fc.constantFrom('ratio' as const, 'rate' as const),
  direction: fc.constantFrom('more-is-worse' as const, 'less-is-worse' as const, 'either' as const),
  grid: fc.constantFrom('coarse' as const, 'fine' as const),
  tolerance: fc.record({ ratio: fc.constantFrom(1, 1, 1.5), points: fc.constantFrom(0, 0.1, 2) }),
})

describe('what would have passed', () => {
  it('is the share at which the evidence just does not suffice', () => {
    const found = passingShare(metricOf(), BAD) ?? Number.NaN
    expect(isWorse(metricOf(), withShare(BAD, found * 0.999))).toBe(false)
    expect(isWorse(metricOf(), withShare(BAD, found * 1.001))).toBe(true)
  })

  it('crosses nowhere when it is judged itself, whatever was counted, and a little more does', () => {
    fc.assert(
      fc.property(table, settings, (rows, { kind, ...rest }) => {
        const metric = metricOf({ kind, ...rest })
        const of = ({ size: total, share: part }: { size: number; share: number }) =>
          kind === 'ratio' ? { bad: part * total, total } : { events: 3 * part * total, exposure: total }
        const batches = rows.map(({ candidate, stable, dispersion }) => ({
          candidate: of(candidate),
          stable: of(stable),
          dispersion,
        }))
        const found = passingShare(metric, batches)
        const isCompared = rows.some(({ candidate, stable }) => candidate.size > 0 && stable.size > 0)
        if (found === null) {
          expect(!isCompared || rest.direction === 'either').toBe(true)
          return
        }
        expect(isCompared).toBe(true)
        const { direction } = decisiveMoment(metric, batches, ALPHA)
        const isLess = rest.direction === 'less-is-worse' || (rest.direction === 'either' && direction === 1)
        const [inside, outside] = isLess ? [1 + 1e-9, 1 - 1e-6] : [1 - 1e-9, 1 + 1e-6]
        expect(isWorse(metric, withShare(batches, found * inside))).toBe(false)
        const isEdge = found > 1e-6 && (isLess || kind === 'rate' || found < 0.999)
        if (isEdge) expect(isWorse(metric, withShare(batches, found * outside))).toBe(true)
      }),
      { numRuns: 400, seed: 20_261_121 },
    )
  })

  it('holds after every batch, not only at the end: stable was better in the beginning', () => {
    const batches = [batch(0, 1000, 0, 1000), batch(0, 1000, 500, 1000)]
    const found = passingShare(metricOf(), batches) ?? Number.NaN
    expect(found).toBeLessThan(0.02)
    expect(passingShare(metricOf(), batches.toReversed())).toBeGreaterThan(0.02)
  })

  it('is a least share where less is worse', () => {
    const less = metricOf({ kind: 'rate', direction: 'less-is-worse' })
    const fewer: Batch = { candidate: { events: 2, exposure: 100 }, stable: { events: 60, exposure: 100 } }
    const found = passingShare(less, [fewer]) ?? Number.NaN
    expect(found).toBeGreaterThan(0.1)
    expect(found).toBeLessThan(0.6)
    const enough = { events: Math.ceil(found * 100), exposure: 100 }
    expect(judgeMetric(less, [{ ...fewer, candidate: enough }], { alpha: 0.01, beta: 0.01 })).toMatchObject({
      standing: { verdict: 'watching' },
    })
  })

  it('is not said where stable moved so far that no share would have passed in both directions', () => {
    const either = metricOf({ direction: 'either' })
    expect(passingShare(either, [batch(1, 1000, 0, 1000), batch(500, 1000, 900, 1000)])).toBeNull()
  })

  it('is not said of histograms and of nothing', () => {
    expect(passingShare(metricOf(), [])).toBeNull()
    expect(passingShare(metricOf({ kind: 'histogram', bounds: [100] }), [])).toBeNull()
  })
})
