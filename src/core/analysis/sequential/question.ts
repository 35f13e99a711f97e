import {
  ALTERNATIVES,
  BETTER_ALTERNATIVES,
  LATENCY_ALTERNATIVES,
  LATENCY_BETTER_ALTERNATIVES,
  type SideCount,
  type Tolerance,
} from '../e-process.ts'
import { type Batch, type Side, sizeOf } from './batch.ts'
import type { Metric } from './metric.ts'

/** The side that is asked whether it has more bad ones, and the side it is measured against. */
export type Pair = { candidate: SideCount; stable: SideCount }

/**
 * What a metric asks of one batch: for each direction, one pair of counts for each bucket bound (one pair where there
 * are no buckets). "Less is worse" is "more is worse" with the versions in each other's place.
 */
export function questionsOf(metric: Metric, { candidate, stable }: Batch): Pair[][] {
  const ours = countsOf(metric, candidate)
  const theirs = countsOf(metric, stable)
  const none = { bad: 0, total: 0 }
  const more = ours.map((count, index): Pair => ({ candidate: count, stable: theirs[index] ?? none }))
  if (metric.kind === 'histogram') return [more]
  const less = more.map((pair): Pair => ({ candidate: pair.stable, stable: pair.candidate }))
  switch (metric.direction) {
    case 'more-is-worse':
      return [more]
    case 'less-is-worse':
      return [less]
    case 'either':
      return [more, less]
  }
}

/** How many tests share the budget of the metric. Bucket bounds do not: their evidence is averaged. */
export const directionsOf = (metric: Metric): number =>
  metric.kind !== 'histogram' && metric.direction === 'either' ? 2 : 1

/** Bad ones and all: for each bucket bound what is above it. */
export function countsOf(metric: Metric, side: Side): SideCount[] {
  if (metric.kind === 'ratio' && 'bad' in side) return [side]
  if (metric.kind === 'rate' && 'events' in side) return [{ bad: side.events, total: side.exposure }]
  if (metric.kind === 'histogram' && 'counts' in side) return slowerThanEach(metric.bounds, side.counts)
  throw new TypeError(`this side was not counted for a ${metric.kind}`)
}

function slowerThanEach(bounds: readonly number[], counts: readonly number[]): SideCount[] {
  if (counts.length !== bounds.length + 1)
    throw new RangeError(`${counts.length} counts do not fit ${bounds.length} bounds and the bucket above`)
  const total = sizeOf({ counts: [...counts] })
  let left = total
  return bounds.map((_, index) => {
    left -= counts[index] ?? 0
    return { bad: Math.max(0, left), total }
  })
}

/** `points` are percentage points. */
export const toleranceOf = ({ tolerance }: Metric): Tolerance => ({
  ratio: tolerance.ratio,
  share: tolerance.points / 100,
})

/** "Worse by at least what is to be noticed": ruled out by evidence for less than that. */
export const noticeOf = ({ notice }: Metric): Tolerance => ({ ratio: 1, share: notice.points / 100 })

export const worseAlternatives = (metric: Metric): readonly number[] =>
  isFine(metric) ? LATENCY_ALTERNATIVES : ALTERNATIVES

export const betterAlternatives = (metric: Metric): readonly number[] =>
  isFine(metric) ? LATENCY_BETTER_ALTERNATIVES : BETTER_ALTERNATIVES

/** Shares of slow requests are large, so their rises are small factors: a histogram is always fine. */
const isFine = (metric: Metric): boolean => metric.kind === 'histogram' || metric.grid === 'fine'
