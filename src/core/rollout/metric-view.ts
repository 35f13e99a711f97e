import type { MetricDefinition } from '../shared/metric-definition.ts'
import { metricStateOf, standingOfMetric } from './metric-count.ts'
import { levelOfValue } from './metric-finding.ts'
import { hurtOf } from './metric-lack.ts'
import type { MetricState } from './metric-state.ts'
import { describeMetric } from './metric-text.ts'
import type { RolloutState } from './state.ts'
import type { CheckView } from './view.ts'

/** The declared metrics as rows among the checks. */
export const metricViews = (rollout: RolloutState): CheckView[] =>
  rollout.settings.analysis.metrics.map((metric) => ({
    name: metric.name,
    tier: metric.tier,
    verdict: shownVerdict(rollout, metric, metricStateOf(rollout, metric.name)),
    ...describeMetric(rollout, metric),
  }))

/** What was found stays found; else trouble and emptiness come before what older windows say. */
function shownVerdict(
  rollout: RolloutState,
  metric: MetricDefinition,
  state: MetricState,
): CheckView['verdict'] {
  const standing = standingOfMetric(rollout.settings.analysis, metric, state)
  if (standing?.verdict === 'worse') return 'worse'
  if (hurtOf(metric, state)?.kind === 'provider-broken') return 'provider-broken'
  if (state.last === null || state.last.candidate.kind === 'no-data' || state.last.stable.kind === 'no-data')
    return 'no-data'
  return standing === null ? levelOfValue(metric, state) : standing.verdict
}
