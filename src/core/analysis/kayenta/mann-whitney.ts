import { upperTail } from './normal.ts'
import { ascending } from './series.ts'

/** Standard normal quantile of Kayenta's two-sided 98% interval. */
export const QUANTILE_98 = 2.3263478740408408

/** Most points of a side: the interval looks at every pair. 2,000 minutes are 33 hours. */
export const MOST_POINTS = 2000

/** By how much the experiment lies above the control: an interval, and the Hodges-Lehmann estimate. */
export type Shift = { lower: number; upper: number; estimate: number }

/**
 * The location shift that a two-sided Mann-Whitney test with tie and continuity correction does not reject.
 *
 * Kayenta (like R's `wilcox.test`) looks for the shift where the test statistic crosses the quantile, with a root finder
 * of absolute tolerance 1e-4, so its answer depends on the unit of the metric and, near 0, on solver noise. The statistic
 * is a step function that falls only at differences between a point of the experiment and one of the control. So the
 * roots are differences, and which ones follows from counting: no tolerance, no noise, the same answer in every unit.
 *
 * The two sides may be constant: then every difference is the same and so is the answer. Kayenta adds unseeded random
 * noise to such sides to let its test run; here nothing needs it.
 */
export function locationShift(
  experiment: readonly number[],
  control: readonly number[],
  quantile = QUANTILE_98,
): Shift {
  const differences = sortedDifferences(experiment, control)
  const pairs = differences.length
  const spread = standardDeviation(experiment, control)
  const rank = Math.ceil(pairs / 2 - CONTINUITY - quantile * spread)
  const lowest = Math.min(Math.max(rank, 1), pairs)
  const at = (oneBased: number): number => differences[oneBased - 1] ?? Number.NaN
  return {
    lower: at(lowest),
    upper: at(pairs + 1 - lowest),
    estimate: (at(Math.ceil(pairs / 2)) + at(Math.floor(pairs / 2) + 1)) / 2,
  }
}

const CONTINUITY = 0.5

function sortedDifferences(experiment: readonly number[], control: readonly number[]): Float64Array {
  const differences = new Float64Array(experiment.length * control.length)
  let next = 0
  for (const x of experiment)
    for (const y of control) {
      differences[next] = x - y
      next += 1
    }
  return differences.sort()
}

/** Of the rank sum, for a shift that ties no point of one side with one of the other. */
function standardDeviation(experiment: readonly number[], control: readonly number[]): number {
  return rankSpread(experiment.length, control.length, tieTerm(experiment) + tieTerm(control))
}

function rankSpread(n: number, m: number, ties: number): number {
  const all = n + m
  const variance = ((n * m) / 12) * (all + 1 - ties / (all * (all - 1)))
  return Math.sqrt(Math.max(0, variance))
}

/** Sum of t^3 - t over groups of t equal points. */
function tieTerm(points: readonly number[]): number {
  const groups = new Map<number, number>()
  for (const point of points) groups.set(point, (groups.get(point) ?? 0) + 1)
  return [...groups.values()].reduce((sum, size) => sum + size ** 3 - size, 0)
}

/** The test of "no shift": `u` counts the pairs in which the experiment is higher, ties half. */
export type RankTest = { u: number; greaterP: number; twoSidedP: number }

/** Normal approximation with tie and continuity correction. For the reader only: Kayenta decides by the interval. */
export function rankTest(experiment: readonly number[], control: readonly number[]): RankTest {
  const u = pairsAbove(experiment, control)
  const spread = rankSpread(experiment.length, control.length, tieTerm([...experiment, ...control]))
  if (spread === 0) return { u, greaterP: 1, twoSidedP: 1 }
  const excess = u - (experiment.length * control.length) / 2
  const twoSidedP = Math.min(1, 2 * upperTail((Math.abs(excess) - CONTINUITY) / spread))
  return { u, greaterP: upperTail((excess - CONTINUITY) / spread), twoSidedP }
}

/** Pairs in which the experiment's point is the higher one, ties half. */
export function pairsAbove(experiment: readonly number[], control: readonly number[]): number {
  const sorted = ascending(control)
  let pairs = 0
  let below = 0
  let upTo = 0
  for (const point of ascending(experiment)) {
    while (below < sorted.length && (sorted[below] ?? 0) < point) below += 1
    while (upTo < sorted.length && (sorted[upTo] ?? 0) <= point) upTo += 1
    pairs += (below + upTo) / 2
  }
  return pairs
}
