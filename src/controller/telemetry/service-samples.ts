import { isDriftHeld } from '../../core/rollout/hold.ts'
import type { RolloutState, ServiceState } from '../../core/rollout/state.ts'
import { waitingOnOf } from '../../core/rollout/view/waiting.ts'
import type { RouterState } from '../../core/shared/router-state.ts'
import { TOTAL_PERMILLE } from '../../core/shared/weight.ts'
import { type Sample, sample } from '../../telemetry/sample.ts'

/** What was last seen of a service that this controller looks after. */
export type Seen = { state: ServiceState; routerState: RouterState | null }

/** The gauges of one service. */
export function serviceSamples({ state, routerState }: Seen, now: number): Sample[] {
  const { stream } = state
  const running = state.rollout !== null && state.rollout.phase.kind !== 'ended' ? state.rollout : null
  return [
    sample('sluice_rollouts_in_progress', { stream }, running === null ? 0 : 1),
    ...(running === null ? [] : rolloutSamples(state, running, now)),
    ...weightSamples(state, routerState),
    sample('sluice_drift_held', { stream }, isDriftHeld(state) ? 1 : 0),
    sample('sluice_freeze_active', { stream }, state.freeze === null ? 0 : 1),
    sample('sluice_breaker_open', { stream }, state.breaker === null ? 0 : 1),
    sample('sluice_troubles', { stream }, Object.keys(state.troubles).length),
  ]
}

function rolloutSamples(state: ServiceState, rollout: RolloutState, now: number): Sample[] {
  const { stream } = state
  const { phase } = rollout
  const since =
    phase.kind === 'returning' ? phase.since : (rollout.steps[rollout.stepIndex]?.startedAt ?? now)
  const labels = {
    stream,
    step: phase.kind === 'returning' ? 'return' : (rollout.plan.steps[rollout.stepIndex]?.step.kind ?? 'end'),
    waiting_on: waitingOnOf(state, rollout, now)?.kind ?? 'nothing',
  }
  return [
    sample('sluice_rollout_step_seconds', labels, secondsSince(since, now)),
    ...(phase.kind === 'returning'
      ? [sample('sluice_rollback_in_progress_seconds', { stream }, secondsSince(phase.since, now))]
      : []),
  ]
}

/** Before the first routes there is nothing to compare, and a router that does not answer shows no weights. */
function weightSamples({ stream, stable, traffic }: ServiceState, routerState: RouterState | null): Sample[] {
  if (traffic.sequence === 0) return []
  const observed =
    routerState === null
      ? null
      : Object.fromEntries(routerState.sets.map(({ release, weightPermille }) => [release, weightPermille]))
  const shares = (kind: 'wanted' | 'observed', weights: Record<string, number>): Sample[] => {
    const ofStable = stable === null ? 0 : (weights[stable.release] ?? 0)
    const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0)
    return [
      sample('sluice_traffic_weight_ratio', { stream, kind, role: 'stable' }, ofStable / TOTAL_PERMILLE),
      sample(
        'sluice_traffic_weight_ratio',
        { stream, kind, role: 'candidate' },
        (total - ofStable) / TOTAL_PERMILLE,
      ),
    ]
  }
  return [...shares('wanted', traffic.weights), ...(observed === null ? [] : shares('observed', observed))]
}

/** How many rollouts of these services wait for their turn, and since when the oldest might have begun. */
export function queueSamples(seen: readonly Seen[], now: number): Sample[] {
  const waiting = seen.flatMap(({ state: { queued } }) => (queued === null ? [] : [queued]))
  const ages = waiting.map(({ at, notBefore }) => secondsSince(Math.max(at, notBefore ?? at), now))
  return [
    sample('sluice_queue_length', {}, waiting.length),
    sample('sluice_queue_oldest_seconds', {}, Math.max(0, ...ages)),
  ]
}

const secondsSince = (since: number, now: number): number => Math.max(0, now - since) / 1000
