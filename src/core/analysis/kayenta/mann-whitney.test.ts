import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { locationShift, QUANTILE_98, rankTest } from './mann-whitney.ts'

const points = fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 1, maxLength: 12 })

/** The definition: the corrected statistic of the ranks after the experiment was moved down by the shift. */
function statistic(experiment: readonly number[], control: readonly number[], shift: number): number {
  const moved = experiment.map((point) => point - shift)
  const all = [...moved, ...control]
  const rankOf = (value: number): number =>
    all.filter((other) => other < value).length + (all.filter((other) => other === value).length + 1) / 2
  const n = experiment.length
  const m = control.length
  const ties = all.reduce((sum, value) => sum + all.filter((other) => other === value).length ** 2 - 1, 0)
  const excess = moved.reduce((sum, value) => sum + rankOf(value), 0) - (n * (n + 1)) / 2 - (n * m) / 2
  const variance = ((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1)))
  return (excess - Math.sign(excess) * 0.5) / Math.sqrt(variance)
}

describe('the location shift', () => {
  it('is where the statistic of the definition crosses the quantile', () => {
    fc.assert(
      fc.property(points, points, (experiment, control) => {
        const values = new Set([...experiment, ...control])
        // All differences are whole numbers, so the statistic is the same all the way between two of them.
        const span = Math.max(...values) - Math.min(...values)
        const { lower, upper } = locationShift(experiment, control)
        const least = Math.min(...experiment) - Math.max(...control)
        const most = Math.max(...experiment) - Math.min(...control)
        fc.pre(span > 0 && new Set(experiment).size > 1 && new Set(control).size > 1)
        if (lower > least)
          expect(statistic(experiment, control, lower - 0.5)).toBeGreaterThan(QUANTILE_98 - 1e-9)
        expect(statistic(experiment, control, lower + 0.5)).toBeLessThanOrEqual(QUANTILE_98 + 1e-9)
        if (upper < most)
          expect(statistic(experiment, control, upper + 0.5)).toBeLessThan(-QUANTILE_98 + 1e-9)
        expect(statistic(experiment, control, upper - 0.5)).toBeGreaterThanOrEqual(-QUANTILE_98 - 1e-9)
      }),
      { seed: 7, numRuns: 300 },
    )
  })

  it('does not depend on the unit of the metric', () => {
    const experiment = [0, 1, 0, 3, 4, 0, 9]
    const control = [0, 0, 0, 1, 2, 0, 1]
    const whole = locationShift(experiment, control)
    const unit = 2 ** -40
    const tiny = locationShift(
      experiment.map((point) => point * unit),
      control.map((point) => point * unit),
    )
    expect(tiny).toEqual({
      lower: whole.lower * unit,
      upper: whole.upper * unit,
      estimate: whole.estimate * unit,
    })
  })

  it('is the difference when both sides are constant', () => {
    expect(locationShift([10, 10, 10], [4, 4])).toEqual({ lower: 6, upper: 6, estimate: 6 })
  })

  it('turns its sign with the sides', () => {
    fc.assert(
      fc.property(points, points, (experiment, control) => {
        const there = locationShift(experiment, control)
        const back = locationShift(control, experiment)
        expect(there.lower + back.upper).toBe(0)
        expect(there.estimate + back.estimate).toBe(0)
      }),
      { seed: 8, numRuns: 200 },
    )
  })
})

it('finds no evidence in sides that are all one value', () => {
  expect(rankTest([1, 1], [1, 1, 1])).toEqual({ u: 3, greaterP: 1, twoSidedP: 1 })
})
