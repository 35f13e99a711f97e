/**
 * `sluice/analysis`: the sequential comparison of two versions alone, without a controller. Everything is pure: no clock,
 * no files, no chance. docs/how-to/use-the-analysis-alone.md shows it, docs/judgement.md says why it holds.
 *
 * @example
 * import { addBatch, Metric, newState, verdictOf } from 'sluice/analysis'
 *
 * const errors = Metric.parse({ name: 'errors', kind: 'ratio' })
 * let state = newState()
 * state = addBatch(errors, state, { candidate: { bad: 30, total: 1000 }, stable: { bad: 1, total: 1000 } })
 * verdictOf(errors, state, 0.01).verdict // 'worse'
 */
export type { Batch, Side } from './core/analysis/sequential/batch.ts'
export {
  type Dispersion,
  dispersionBetween,
  dispersionFor,
  dispersionOf,
  type Share,
} from './core/analysis/sequential/dispersion.ts'
export { explainJudgement } from './core/analysis/sequential/explain.ts'
export { type Needed, requestsNeeded } from './core/analysis/sequential/growth.ts'
export {
  type Budget,
  budgetOf,
  type Judgement,
  judgeMetric,
  verdictOfAll,
} from './core/analysis/sequential/judge.ts'
export type { LowerBounds } from './core/analysis/sequential/lower-bounds.ts'
export { Metric, type MetricInput } from './core/analysis/sequential/metric.ts'
export {
  addRequests,
  newSampleRatio,
  SampleRatioState,
  type SampleRatioVerdict,
  sampleRatioVerdict,
} from './core/analysis/sequential/sample-ratio.ts'
export {
  addBatch,
  newState,
  SequentialState,
  type Standing,
  Verdict,
  verdictOf,
} from './core/analysis/sequential/state.ts'
export { withoutWarmUp } from './core/analysis/sequential/warm-up.ts'
