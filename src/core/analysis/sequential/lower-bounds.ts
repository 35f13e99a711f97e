import { type DecisiveMoment, logEvidenceOf, type Weighed, weigh } from './decisive-moment.ts'
import type { Metric } from './metric.ts'
import { directionsOf, toleranceOf } from './question.ts'

/** Halvings, or doublings, of the range that is searched: far below what anybody prints. */
const ROUNDS = 50
const LOG_RATIOS = { least: Math.log(1e-9), most: Math.log(1e9) }

export type LowerBounds = {
  /** At least so many times the share of the other version; below 1 it shows nothing. */
  ratio: number
  /** At least so many percentage points above the other version; 0 when nothing is shown. */
  points: number
}

/**
 * How much worse the candidate is at least, at confidence 1 - alpha, however often one looked: the largest ratio, and
 * the largest difference, against which the evidence would have crossed the threshold. Each is shown alone, without the
 * tolerance. This needs the batches: the sums of the state belong to one tolerance.
 */
export function lowerBounds(metric: Metric, { cells }: DecisiveMoment, alpha: number): LowerBounds {
  const threshold = Math.log(directionsOf(metric) / alpha)
  const plain = weigh(metric, cells, 1)
  const crossesRatio = (ratio: number): boolean =>
    logEvidenceOf(weigh(metric, cells, ratio), (of) => termsAt(of, 0)) >= threshold
  const crossesShare = (share: number): boolean =>
    logEvidenceOf(plain, (of) => termsAt(of, share)) >= threshold
  return { ratio: largestRatio(crossesRatio), points: 100 * largestShare(crossesShare) }
}

/** Against a tolerated share. */
const termsAt = ({ x, y, cost }: Weighed, share: number): number[] =>
  x.map((ours, bound) => ours - (y[bound] ?? 0) - share * cost)

/** Evidence falls as the tolerance grows, so halving finds the edge. */
function largestRatio(crosses: (ratio: number) => boolean): number {
  const { least, most } = LOG_RATIOS
  const holds = (logRatio: number): boolean => crosses(Math.exp(logRatio))
  return holds(least) ? Math.exp(edge(least, most, holds)) : 0
}

const largestShare = (crosses: (share: number) => boolean): number =>
  crosses(0)
    ? edge(
        0,
        firstOf((share) => !crosses(share)),
        crosses,
      )
    : 0

/**
 * The share of the candidate, the same in every batch, up to which the verdict would not have been `worse` against what
 * stable did; where less is worse, from which on. `null` for a histogram, and when nothing was compared.
 */
export function passingShare(metric: Metric, moment: DecisiveMoment, alpha: number): number | null {
  if (metric.kind === 'histogram' || moment.cells.length === 0) return null
  const threshold = Math.log(directionsOf(metric) / alpha)
  const { ratio, share: tolerated } = toleranceOf(metric)
  const weighed = weigh(metric, moment.cells, ratio)
  const isSwapped = isLess(metric, moment)
  const passes = (share: number): boolean =>
    logEvidenceOf(weighed, ({ x: [x = 0], y: [y = 0], n, m, cost }) => [
      (isSwapped ? x - share * m : share * n - y) - tolerated * cost,
    ]) < threshold
  if (isSwapped) return passes(0) ? 0 : edge(firstOf(passes), 0, passes)
  if (metric.kind === 'ratio' && passes(1)) return 1
  return edge(
    0,
    firstOf((share) => !passes(share)),
    passes,
  )
}

const isLess = (metric: Metric, { direction }: DecisiveMoment): boolean =>
  metric.kind !== 'histogram' && (metric.direction === 'less-is-worse' || direction === 1)

/** The first of 1, 2, 4, ... for which it is so. */
function firstOf(isSo: (value: number) => boolean): number {
  let value = 1
  for (let round = 0; round < ROUNDS && !isSo(value); round += 1) value *= 2
  return value
}

/** Where `holds` ends between a value for which it holds and one for which it does not. */
function edge(holding: number, failing: number, holds: (value: number) => boolean): number {
  let inside = holding
  let outside = failing
  for (let round = 0; round < ROUNDS; round += 1) {
    const middle = (inside + outside) / 2
    if (holds(middle)) inside = middle
    else outside = middle
  }
  return inside
}
