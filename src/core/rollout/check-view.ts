import { checksWithState, criteriaOf, describedCheck } from './judge-rollout.ts'
import { metricViews } from './metric-view.ts'
import type { RolloutState } from './state.ts'
import type { CheckView } from './view.ts'

/** Every check of a rollout as it is shown, and recorded with its outcome. */
export function checkViews(rollout: RolloutState): CheckView[] {
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
  return [...stage, ...statistical, ...metricViews(rollout)]
}

/** A guard is ok, warning or critical; a comparison is worse or still watched (the words of the contract). */
function shownVerdict(tier: CheckView['tier'], verdict: CheckView['verdict']): CheckView['verdict'] {
  if (tier === 'compare' || verdict === 'no-data') return verdict
  if (verdict !== 'worse') return 'ok'
  return tier === 'warning' ? 'warning' : 'critical'
}
