import type { Step } from '../plan/plan.ts'
import { plannedCandidate } from './batches/planned.ts'
import type { RolloutState, ServiceState } from './state.ts'

/** The rollout in progress: on its way or going back. */
export const runningRollout = (state: ServiceState): RolloutState | null =>
  state.rollout === null || state.rollout.phase.kind === 'ended' ? null : state.rollout

const AFTER_ALL_TRAFFIC = new Set<Step['kind']>(['watch', 'promote', 'drain', 'retire', 'keep'])

/** All planned traffic is on the candidate: what remains is the watch and the way out of the old set. */
export const isWatching = (rollout: RolloutState): boolean => {
  const kind = rollout.plan.steps[rollout.stepIndex]?.step.kind
  return kind !== undefined && AFTER_ALL_TRAFFIC.has(kind)
}

/** The candidate failed, and the policy is to hold it where it is: only the way back is left. */
export const isFailed = ({ phase }: RolloutState): boolean =>
  phase.kind === 'running' && phase.paused?.failed === true

/** From here on there is nothing to go back to inside this rollout. */
export const isCandidateStable = (state: ServiceState, rollout: RolloutState): boolean =>
  state.stable?.release === rollout.plan.to.release

/** Instances that must be ready before the candidate gets (more) traffic: S20's threshold, all of them by default. */
export const neededReady = (rollout: RolloutState, replicas = plannedCandidate(rollout)): number =>
  Math.max(1, Math.ceil((replicas * rollout.settings.strategy.readyPercent) / 100))

/** Numbers this much older than one analysis interval do not speak for the present: nobody looked meanwhile. */
const STALE_MARGIN_MS = 3000

/** No data, broken numbers and old numbers are all the same here: nothing goes on because of them. */
export function hasFreshNumbers({ cursor, sourceFailures, settings }: RolloutState, now: number): boolean {
  if (cursor === null || sourceFailures !== null) return false
  return Math.abs(now - cursor.at) <= settings.analysis.intervalMs + STALE_MARGIN_MS
}
