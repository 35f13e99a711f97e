import { isClosed } from './recreate/closing.ts'
import { isWayBack } from './refusal.ts'
import { isCandidateStable, isFailed } from './rollout-position.ts'
import type { RolloutState, ServiceState } from './state.ts'

/**
 * The way to stable is never frozen, and a candidate that is stable only has its old set to clear away. Nor is a service that
 * nobody is served by: the way out of that is ahead.
 */
export const isFrozen = (state: ServiceState, rollout: RolloutState): boolean =>
  state.freeze !== null && !isWayBack(rollout.order) && !isCandidateStable(state, rollout) && !isClosed(state)

export const isDriftHeld = ({ drift }: ServiceState): boolean => drift?.held === true

/** Nothing moves forward: only the way back to stable is open. */
export const isHeld = (state: ServiceState, rollout: RolloutState): boolean =>
  rollout.phase.kind === 'running' &&
  (rollout.phase.paused !== null || isDriftHeld(state) || isFrozen(state, rollout))

/** Why a person cannot take it forward now, or `null`. A pause is theirs to end. */
export function whyHeld(state: ServiceState, rollout: RolloutState): string | null {
  if (isFailed(rollout))
    return 'it failed and is held where it is: abort it, or deploy a version that mends it'
  if (isDriftHeld(state)) return 'the routes were changed from outside: resume puts them right'
  if (state.freeze !== null && isFrozen(state, rollout))
    return `the environment is frozen by ${state.freeze.who}: ${state.freeze.reason}`
  return null
}

/** Keeps the account of the time in which no deadline runs. */
export function countHeld(state: ServiceState, at: number): ServiceState {
  const { rollout } = state
  if (rollout === null) return state
  const held = isHeld(state, rollout)
  if (held === (rollout.heldSince !== null)) return state
  const heldMs = rollout.heldMs + (rollout.heldSince === null ? 0 : Math.max(0, at - rollout.heldSince))
  return { ...state, rollout: { ...rollout, heldSince: held ? at : null, heldMs } }
}
