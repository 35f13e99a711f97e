import { type DecisiveMoment, logEvidenceOf, type Weighed, weigh } from './decisive-moment.ts'
import type { Metric } from './metric.ts'
import { directionsOf } from './question.ts'
import { edge, firstOf } from './search.ts'

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
