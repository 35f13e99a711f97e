import type { Batch } from './batch.ts'
import { decisiveMoment } from './decisive-moment.ts'
import { type LowerBounds, lowerBounds } from './lower-bounds.ts'
import type { Metric } from './metric.ts'
import { passingShare } from './passing-share.ts'
import { addBatch, newState, type SequentialState, type Standing, type Verdict, verdictOf } from './state.ts'

/** Chance of a wrong `worse`, and of a wrong `not-worse`. */
export type Budget = { alpha: number; beta: number }

/** All there is to say about a metric whose batches are at hand. */
export type Judgement = {
  metric: Metric
  budget: Budget
  standing: Standing
  state: SequentialState
  /** Number of the batch, from 1, with which the evidence for "worse" crossed its threshold. */
  crossedAtBatch: number | null
  /** Log evidence after each batch: in either direction that of the stronger one. */
  series: readonly number[]
  /** `null` when nothing was compared. */
  bounds: LowerBounds | null
  /** What would have passed throughout; `null` for a histogram and when nothing was compared. */
  passing: number | null
}

/**
 * Judges one metric over batches, as a rollout would have: a crossing is final.
 *
 * @example judgeMetric(Metric.parse({ name: 'errors', kind: 'ratio' }), batches, { alpha: 0.01, beta: 0.01 })
 */
export function judgeMetric(metric: Metric, batches: readonly Batch[], budget: Budget): Judgement {
  const { alpha, beta } = budget
  let state = newState()
  let crossedAtBatch: number | null = null
  const series = batches.map((batch) => {
    state = addBatch(metric, state, batch)
    const { verdict, logEvalue } = verdictOf(metric, state, alpha)
    if (verdict === 'worse') crossedAtBatch ??= state.batches
    return logEvalue
  })
  const moment = decisiveMoment(metric, batches, alpha)
  return {
    metric,
    budget,
    standing: verdictOf(metric, state, alpha, beta),
    state,
    crossedAtBatch,
    series,
    bounds: state.compared > 0 ? lowerBounds(metric, moment, alpha) : null,
    passing: passingShare(metric, batches, { alpha, direction: moment.direction }),
  }
}

/**
 * Shares the false-alarm budget among metrics (Bonferroni). Nothing is shared for `not-worse`: since every metric has
 * to be shown to be so, a candidate that is worse in one of them passes with probability at most `alpha`.
 */
export const budgetOf = (alpha: number, metrics: number): Budget => ({
  alpha: alpha / Math.max(1, metrics),
  beta: alpha,
})

/** From the one that decides to the one that every metric must have. No data is never taken for health. */
const WORST_FIRST: readonly Verdict[] = ['worse', 'watching', 'no-data', 'not-worse']

/** One verdict for all metrics: the worst of them. */
export const verdictOfAll = (verdicts: readonly Verdict[]): Verdict =>
  WORST_FIRST.find((verdict) => verdicts.includes(verdict)) ?? 'no-data'
