import type { BatchSides } from '../../analysis/counts-cursor.ts'
import type { Step } from '../../plan/plan.ts'
import type { Shadowing } from '../../shared/mirror.ts'
import { isFailed } from '../rollout-position.ts'
import type { RolloutState } from '../state.ts'

/** Copies of requests go to the candidate in this step. */
export const shadowingOf = (step: Step | undefined): Shadowing | null =>
  step?.kind === 'observe' ? (step.shadow ?? null) : null

/** The copying that is on, from the beginning of its step to its end in whatever way; `null` at every other moment. */
export function shadowingNow(rollout: RolloutState): Shadowing | null {
  const { plan, phase, stepIndex, steps } = rollout
  const hasBegun = (steps[stepIndex]?.startedAt ?? null) !== null
  if (phase.kind !== 'running' || isFailed(rollout) || !hasBegun) return null
  return shadowingOf(plan.steps[stepIndex]?.step)
}

/** What a batch of the rollout compares at this moment. */
export const sidesNow = (rollout: RolloutState): BatchSides => ({
  candidate: rollout.plan.to.release,
  stable: rollout.plan.from?.release ?? null,
  shadow: shadowingNow(rollout) === null ? null : rollout.id,
})
