import { isDryRun } from '../../analysis/dry-run.ts'
import { type Gauge, gaugesOf, isBroken, isExcused } from '../../analysis/resources/gauge.ts'
import { describeGauge, type Unknown } from '../../analysis/resources/gauge-sentence.ts'
import type { Reason } from '../reason.ts'
import { ENGINE } from '../reason.ts'
import type { RolloutState } from '../state.ts'
import type { CheckView } from '../view/view.ts'
import { gaugeStateIn } from './count-resources.ts'

/** Limits of resources that were exceeded for long enough and have this consequence, if nobody let them pass; `null` for none. */
export function resourcesFound(
  rollout: RolloutState,
  level: Gauge['tier'],
): { reason: Reason; checks: string[] } | null {
  const found = gaugesOf(rollout.settings.analysis).filter(
    (gauge) =>
      gauge.tier === level &&
      isBroken(gauge, gaugeStateIn(rollout.resources, gauge.name)) &&
      !isDryRun(rollout.settings.analysis, gauge.name) &&
      (level === 'critical' || !rollout.acknowledged.includes(gauge.name)),
  )
  const [first] = found
  if (first === undefined) return null
  return { reason: reasonOf(rollout, first), checks: found.map(({ name }) => name) }
}

/** The limits of resources as rows among the checks. */
export const resourceViews = (rollout: RolloutState): CheckView[] =>
  gaugesOf(rollout.settings.analysis).map((gauge) => ({
    name: gauge.name,
    tier: gauge.tier,
    verdict: shownVerdict(rollout, gauge),
    samples: gaugeStateIn(rollout.resources, gauge.name).failed.length,
    ...describedGauge(rollout, gauge),
  }))

function shownVerdict(rollout: RolloutState, gauge: Gauge): CheckView['verdict'] {
  const state = gaugeStateIn(rollout.resources, gauge.name)
  const unknown = unknownOf(rollout, gauge)
  if (unknown !== null) return unknown === 'not-yet' ? 'watching' : 'no-data'
  if (isBroken(gauge, state)) return gauge.tier
  return isExcused(gauge, state) ? 'watching' : 'ok'
}

const describedGauge = (rollout: RolloutState, gauge: Gauge) =>
  describeGauge(gauge, gaugeStateIn(rollout.resources, gauge.name), {
    unknown: unknownOf(rollout, gauge),
    before: rollout.baseline?.use ?? null,
  })

/** Why nothing can be said about it at this moment. */
function unknownOf({ resources, plan, cursor: counted }: RolloutState, gauge: Gauge): Unknown | null {
  const { cursor } = resources
  if (gaugeStateIn(resources, gauge.name).last !== null) return null
  if (cursor === null) return counted === null ? 'not-yet' : 'target'
  if (cursor.releases[plan.to.release] === undefined) return 'candidate'
  return gauge.of === 'disk' && cursor.diskBusyMs === null ? 'disk' : 'not-yet'
}

function reasonOf(rollout: RolloutState, gauge: Gauge): Reason {
  const { sentence, candidate, stable, threshold } = describedGauge(rollout, gauge)
  const { failed, last } = gaugeStateIn(rollout.resources, gauge.name)
  return {
    code: gauge.tier === 'critical' ? 'CHECK_CRITICAL' : 'CHECK_WARNING',
    message: sentence,
    evidence: {
      check: gauge.name,
      tier: gauge.tier,
      candidate,
      stable,
      threshold,
      percent: last?.percent ?? null,
      failed,
      requests: rollout.total.candidate.requests,
    },
    actor: ENGINE,
  }
}
