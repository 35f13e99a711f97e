import { dryRunText, HARD_SIGNALS, isDryRun } from '../../analysis/dry-run.ts'
import { checksWithState, describedCheck, hardSignals } from '../judging/judge-rollout.ts'
import { namedCheckViews } from '../judging/named-checks.ts'
import { resourceViews } from '../judging/resource-finding.ts'
import { criteriaOf } from '../judging/stage-criteria.ts'
import { metricViews } from '../metrics/metric-view.ts'
import type { RolloutState, SetState } from '../state.ts'
import type { CheckView } from './view.ts'

/** Every check of a rollout as it is shown, and recorded with its outcome. Signals of the instances only where they are dry runs: others act at once. */
export function checkViews(rollout: RolloutState, candidate?: SetState): CheckView[] {
  const { analysis } = rollout.settings
  const views = [...numberViews(rollout), ...resourceViews(rollout), ...metricViews(rollout)]
  return [
    ...(candidate === undefined ? [] : signalViews(rollout, candidate)),
    ...namedCheckViews(rollout),
    ...views.map((view) => (isDryRun(analysis, view.name) ? asDryRun(view) : view)),
  ]
}

/** It tells what it would have done, and does nothing. */
function asDryRun(view: CheckView): CheckView {
  const { tier, verdict } = view
  const isFound = verdict === 'worse' || verdict === 'critical' || verdict === 'warning'
  const sentence = `${view.sentence}${dryRunText(tier, isFound)}`
  return { ...view, tier: 'report', verdict: isFound ? 'worse' : verdict, sentence }
}

function signalViews(rollout: RolloutState, candidate: SetState): CheckView[] {
  const { analysis } = rollout.settings
  const found = hardSignals(rollout, candidate)
  return HARD_SIGNALS.filter((name) => isDryRun(analysis, name)).map((name): CheckView => {
    const reason = found.find((signal) => signal.name === name)?.reason
    return asDryRun({
      name,
      tier: 'critical',
      verdict: reason === undefined ? 'ok' : 'critical',
      candidate: reason === undefined ? 'none' : 'found',
      stable: '',
      threshold: name === 'crash loop' ? `${analysis.crashLimit} crashes` : 'none',
      samples: candidate.instances.length,
      sentence: reason === undefined ? `${name}: none` : `${name}: ${reason.message}`,
    })
  })
}

function numberViews(rollout: RolloutState): CheckView[] {
  const statistical = checksWithState(rollout).map((of): CheckView => {
    const { check, state } = of
    const { verdict, ...described } = describedCheck(rollout, of)
    return {
      name: check.name,
      tier: check.tier,
      verdict:
        rollout.sourceFailures === null ? shownVerdict(check.tier, verdict.verdict) : 'provider-broken',
      samples: rollout.total.candidate.requests,
      evidence: { logE: verdict.logE, threshold: verdict.threshold, crossedAt: state.crossedAt },
      ...described,
    }
  })
  const stage = criteriaOf(rollout).map(
    ({ name, met, candidate, stable, threshold, sentence }): CheckView => ({
      name,
      tier: 'stage',
      verdict: met === null ? 'watching' : met ? 'ok' : 'warning',
      candidate,
      stable,
      threshold,
      samples: rollout.atStep.candidate.requests,
      sentence,
    }),
  )
  return [...stage, ...statistical]
}

/** A guard is ok, warning or critical; a comparison is worse or still watched (the words of the contract). */
function shownVerdict(tier: CheckView['tier'], verdict: CheckView['verdict']): CheckView['verdict'] {
  if (tier === 'compare' || verdict === 'no-data') return verdict
  if (verdict !== 'worse') return 'ok'
  return tier === 'warning' ? 'warning' : 'critical'
}
