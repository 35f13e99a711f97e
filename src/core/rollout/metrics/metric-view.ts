import type { ValueEvidence } from '../../analysis/evidence/evidence.ts'
import type { MetricDefinition } from '../../shared/metric-definition.ts'
import type { RolloutState } from '../state.ts'
import type { CheckView } from '../view/view.ts'
import { metricStateOf, standingOfMetric } from './metric-count.ts'
import { hurtOf } from './metric-lack.ts'
import type { MetricState } from './metric-state.ts'
import { describeMetric } from './metric-text.ts'
import { levelOfValue } from './value-level.ts'

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
  return troubleOf(metric, state) ?? (standing === null ? levelOfValue(metric, state) : standing.verdict)
}

/** How a value stands by its last windows. */
export function valueVerdict(rollout: RolloutState, metric: MetricDefinition): ValueEvidence['verdict'] {
  const state = metricStateOf(rollout, metric.name)
  return troubleOf(metric, state) ?? levelOfValue(metric, state)
}

function troubleOf(metric: MetricDefinition, state: MetricState): 'provider-broken' | 'no-data' | null {
  if (hurtOf(metric, state)?.kind === 'provider-broken') return 'provider-broken'
  const { last } = state
  return last === null || last.candidate.kind === 'no-data' || last.stable.kind === 'no-data'
    ? 'no-data'
    : null
}
