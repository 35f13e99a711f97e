import type { MetricDefinition } from '../../shared/metric-definition.ts'
import type { Reason } from '../reason.ts'
import { ENGINE } from '../reason.ts'
import type { RolloutState } from '../state.ts'
import { metricStateOf, standingOfMetric } from './metric-count.ts'
import type { MetricLevel } from './metric-state.ts'
import { describeMetric } from './metric-text.ts'
import { levelOfValue } from './value-level.ts'

/** Declared metrics that were found worse and have this consequence, if nobody let them pass; `null` for none. */
export function metricsFound(
  rollout: RolloutState,
  level: Exclude<MetricLevel, 'ok'>,
): { reason: Reason; checks: string[] } | null {
  const found = rollout.settings.analysis.metrics.filter(
    (metric) =>
      consequenceOf(rollout, metric) === level &&
      (level === 'critical' || !rollout.acknowledged.includes(metric.name)),
  )
  const [first] = found
  if (first === undefined) return null
  return { reason: reasonOf(rollout, first, level), checks: found.map(({ name }) => name) }
}

/** What is only reported (a dry run) has no consequence. */
function consequenceOf(rollout: RolloutState, metric: MetricDefinition): MetricLevel {
  if (metric.tier === 'report') return 'ok'
  const state = metricStateOf(rollout, metric.name)
  const standing = standingOfMetric(rollout.settings.analysis, metric, state)
  if (standing === null) return levelOfValue(metric, state)
  return standing.verdict === 'worse' ? metric.tier : 'ok'
}

/** Every critical metric has ruled out that the candidate is worse: a stage may end early. */
export const metricsShowFine = (rollout: RolloutState): boolean =>
  rollout.settings.analysis.metrics
    .filter(({ tier }) => tier === 'critical')
    .every((metric) => {
      const state = metricStateOf(rollout, metric.name)
      const standing = standingOfMetric(rollout.settings.analysis, metric, state)
      return standing === null
        ? state.levels.every((level) => level === 'ok')
        : standing.verdict === 'not-worse'
    })

function reasonOf(rollout: RolloutState, metric: MetricDefinition, level: 'warning' | 'critical'): Reason {
  const { sentence, candidate, stable, threshold, samples, evidence } = describeMetric(rollout, metric)
  return {
    code: level === 'critical' ? 'CHECK_CRITICAL' : 'CHECK_WARNING',
    message: sentence,
    evidence: {
      check: metric.name,
      tier: metric.tier,
      candidate,
      stable,
      threshold,
      logE: evidence?.logE ?? null,
      logThreshold: evidence?.threshold ?? null,
      requests: samples,
    },
    actor: ENGINE,
  }
}
