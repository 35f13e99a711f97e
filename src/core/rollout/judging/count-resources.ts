import { addEvaluation, type GaugeState, gaugesOf, newGaugeState } from '../../analysis/resources/gauge.ts'
import {
  isNewUse,
  presentOf,
  type UseSides,
  useBetween,
  useCursorOf,
} from '../../analysis/resources/use-batch.ts'
import { addHostUse, addUse } from '../../analysis/resources/use-sums.ts'
import type { SeenUse } from '../../shared/resource-use.ts'
import { TOTAL_PERMILLE } from '../../shared/weight.ts'
import type { EventOf } from '../event.ts'
import type { RolloutState, ServiceState } from '../state.ts'
import { isWarmingUp } from './count-metrics.ts'
import type { ObservedUse, ResourceState } from './resource-state.ts'
import { weightAtStep } from './stage-criteria.ts'

/** What was measured longer ago than this, or than so many evaluations, says nothing about now. */
const FORGET_MS = 30_000
const FORGET_EVALUATIONS = 3

/** What a look at the target says about the use of resources since the last evaluation; nothing where it is not new. */
export function observedUse(
  { settings }: Pick<ServiceState, 'settings'>,
  rollout: RolloutState,
  { use, now }: { use: SeenUse | undefined; now: number },
): { use?: ObservedUse } {
  const last = rollout.resources.cursor
  if (use === undefined || !isNewUse(last, use)) return {}
  const of = sidesOf(rollout)
  const cursor = useCursorOf(use, now, of)
  const declared = {
    candidate: rollout.settings.run.resources,
    stable: (settings ?? rollout.settings).run.resources,
  }
  const batch = last === null ? null : useBetween(last, cursor, { of, present: presentOf(use, of, declared) })
  return { use: { batch, cursor } }
}

export const sidesOf = ({ plan }: RolloutState): UseSides => ({
  candidate: plan.to.release,
  stable: plan.from?.release ?? null,
})

/** One evaluation of what was used: what it adds to the sums, and to the last evaluations of each limit. */
export function countResources(
  rollout: RolloutState,
  { at, batch: requests, use }: EventOf<'metrics-observed'>,
): ResourceState {
  const known = remembered(rollout, at)
  if (use === undefined) return known
  const looked = { ...known, cursor: use.cursor }
  const { batch } = use
  if (batch === null || !isSteady(rollout, batch)) return looked
  const stable = requests?.shadow === undefined ? requests?.stable.requests : requests.requests
  const served = { candidate: requests?.candidate.requests ?? 0, stable: stable ?? 0 }
  // One interval without a request does not make it idle; all traffic on the candidate does.
  const isStableServing = served.stable > 0 || weightAtStep(rollout) < TOTAL_PERMILLE
  const context = { at, isStableServing, before: rollout.baseline?.use ?? null }
  return {
    ...looked,
    candidate: addUse(known.candidate, batch.candidate, batch, served.candidate),
    // A stable that nobody asks uses nothing, which is no figure to compare with.
    stable: isStableServing ? addUse(known.stable, batch.stable, batch, served.stable) : known.stable,
    host: addHostUse(known.host, batch),
    gauges: gaugesOf(rollout.settings.analysis).map((gauge) =>
      addEvaluation(gauge, gaugeStateIn(known, gauge.name), batch, context),
    ),
  }
}

export const gaugeStateIn = ({ gauges }: ResourceState, name: string): GaugeState =>
  gauges.find((one) => one.name === name) ?? newGaugeState({ name })

/** Only what is served at a weight, and not while instances and caches are new. */
function isSteady(rollout: RolloutState, { sinceAt }: { sinceAt: number }): boolean {
  const kind = rollout.plan.steps[rollout.stepIndex]?.step.kind
  return (
    rollout.phase.kind === 'running' &&
    (kind === 'observe' || kind === 'watch') &&
    !isWarmingUp(rollout, { sinceAt })
  )
}

/** Without what is too old. */
function remembered({ resources, settings }: RolloutState, now: number): ResourceState {
  const forgetMs = Math.max(FORGET_MS, FORGET_EVALUATIONS * settings.analysis.intervalMs)
  const isOld = (at: number | undefined): boolean => at !== undefined && now - at > forgetMs
  const { cursor, gauges } = resources
  const keepsCursor = !isOld(cursor?.seenAt)
  if (keepsCursor && gauges.every(({ last }) => !isOld(last?.at))) return resources
  return {
    ...resources,
    cursor: keepsCursor ? cursor : null,
    gauges: gauges.map((state) => (isOld(state.last?.at) ? newGaugeState(state) : state)),
  }
}
