import { directionsOf } from '../../analysis/sequential/question.ts'
import { logEvidences } from '../../analysis/sequential/state.ts'
import type { EventOf } from '../event.ts'
import type { RolloutState } from '../state.ts'
import { comparedOf, metricDispersion, metricStateOf } from './metric-count.ts'
import type { SampledWindow } from './metric-state.ts'

/** One answer about a declared metric as it was judged. */
export type MetricLook = {
  at: number
  sample: SampledWindow
  /** Log evidence in each direction after it; empty for a value. */
  evidences: readonly number[]
  /** What its evidence was divided by. */
  dispersion: number
}

/** `null` for a metric that the rollout does not have. */
export function metricLookOf(
  { at, metric: name, sample }: EventOf<'metric-sampled'>,
  before: RolloutState,
  after: RolloutState,
): MetricLook | null {
  const metric = before.settings.analysis.metrics.find((one) => one.name === name)
  if (metric === undefined) return null
  const compared = comparedOf(metric)
  const { phi } = metricDispersion(before, metric, sample.window.fromMs)
  const { sequential } = metricStateOf(after, name)
  return {
    at,
    sample,
    evidences: compared === null ? [] : logEvidences(sequential?.worse ?? [], directionsOf(compared)),
    dispersion: phi,
  }
}
