import { logMeanExp, weightsOf } from '../e-process.ts'
import { sizeOf } from './batch.ts'
import type { DispersedBatch } from './decisive-moment.ts'
import type { Metric } from './metric.ts'
import { directionsOf, questionsOf, toleranceOf, worseAlternatives } from './question.ts'
import { edge, firstOf } from './search.ts'

/** 0: the only direction, or "more is worse"; 1: the other one of `either`. */
type Asked = { alpha: number; direction: number }

/**
 * The share of the candidate, the same in every batch, up to which the verdict would not have been `worse` after any of
 * them, beside what stable did; where less is worse, from which on. `null` for a histogram, when nothing was compared, and
 * where stable moved so much that no share would have passed in both directions.
 */
export function passingShare(
  metric: Metric,
  batches: readonly DispersedBatch[],
  { alpha, direction }: Asked,
): number | null {
  const both = batches.filter(({ candidate, stable }) => sizeOf(candidate) > 0 && sizeOf(stable) > 0)
  if (metric.kind === 'histogram' || both.length === 0) return null
  const threshold = Math.log(directionsOf(metric) / alpha)
  const asks = (isSwapped: boolean, index: number): Passes => {
    const course = courseOf(metric, both, { direction: index, isSwapped })
    return (share) => passes(course, share, threshold)
  }
  const most = metric.kind === 'ratio' ? 1 : null
  switch (metric.direction) {
    case 'more-is-worse':
      return highest(asks(false, 0), most)
    case 'less-is-worse':
      return lowest(asks(true, 0), most)
    case 'either': {
      const [low, high] = [lowest(asks(true, 1), most), highest(asks(false, 0), most)]
      if (low > high) return null
      return direction === 0 ? high : low
    }
  }
}

type Passes = (share: number) => boolean

/** Nothing bad at all always passes, and so does a candidate that is bad throughout where less is worse. */
const highest = (isFine: Passes, most: number | null): number =>
  most !== null && isFine(most)
    ? most
    : edge(
        0,
        firstOf((share) => !isFine(share)),
        isFine,
      )
const lowest = (isFine: Passes, most: number | null): number =>
  isFine(0) ? 0 : edge(most ?? firstOf(isFine), 0, isFine)

/**
 * The evidence of every alternative after each batch, in so far as it does not depend on the share, and how much each unit
 * of share adds. One row after the other, each with all alternatives.
 */
type Course = { alternatives: number; fixed: Float64Array; slope: Float64Array }

function courseOf(
  metric: Metric,
  batches: readonly DispersedBatch[],
  { direction, isSwapped }: { direction: number; isSwapped: boolean },
): Course {
  const { ratio, share: tolerated } = toleranceOf(metric)
  const all = worseAlternatives(metric)
  const fixed = new Float64Array(batches.length * all.length)
  const slope = new Float64Array(batches.length * all.length)
  batches.forEach((batch, row) => {
    const [pair] = questionsOf(metric, batch)[direction] ?? []
    if (pair === undefined) return
    const dispersion = batch.dispersion ?? metric.dispersion
    const [n, m] = [pair.candidate.total, pair.stable.total]
    all.forEach((worse, column) => {
      const at = row * all.length + column
      const { logA, logC, drift } = weightsOf(n, m, { tolerance: { ratio, share: tolerated }, worse })
      const own = isSwapped ? pair.candidate.bad * logA : -pair.stable.bad * logC
      const gained = isSwapped ? -m * logC : n * logA
      fixed[at] = (row === 0 ? 0 : (fixed[at - all.length] ?? 0)) + (own - drift) / dispersion
      slope[at] = (row === 0 ? 0 : (slope[at - all.length] ?? 0)) + gained / dispersion
    })
  })
  return { alternatives: all.length, fixed, slope }
}

/** An average lies between its highest term divided by their number and its highest term: few rows need an exponential. */
function passes({ alternatives, fixed, slope }: Course, share: number, threshold: number): boolean {
  const terms = new Array<number>(alternatives).fill(0)
  for (let row = 0; row < fixed.length; row += alternatives) {
    let most = Number.NEGATIVE_INFINITY
    for (let column = 0; column < alternatives; column += 1) {
      const term = (fixed[row + column] ?? 0) + share * (slope[row + column] ?? 0)
      terms[column] = term
      if (term > most) most = term
    }
    if (most >= threshold && logMeanExp(terms) >= threshold) return false
  }
  return true
}
