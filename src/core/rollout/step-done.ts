import type { Event } from './event.ts'
import type { Reason } from './reason.ts'
import { ENGINE } from './reason.ts'
import type { RolloutState } from './state.ts'

/** The present step reached what it was for. */
export function done(rollout: RolloutState, now: number, message: string): Event[] {
  const reason = { code: 'STEP_DONE', message, evidence: {}, actor: ENGINE }
  return [{ kind: 'step-finished', at: now, index: rollout.stepIndex, skipped: false, reason }]
}

/** Somebody said that this step has lasted long enough. */
export const skipStep = (current: RolloutState, reason: Reason, now: number): Event => ({
  kind: 'step-finished',
  at: now,
  index: current.stepIndex,
  skipped: true,
  reason,
})
