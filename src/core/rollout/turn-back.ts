import { formatDuration } from '../shared/duration.ts'
import type { Problem } from '../shared/problem.ts'
import { rollbacksThatOpen } from './breaker.ts'
import type { Event } from './event.ts'
import { withNewErrors } from './judging/new-errors.ts'
import { countRollback } from './past-failures.ts'
import type { Reason } from './reason.ts'
import { ENGINE } from './reason.ts'
import { isFailed } from './rollout-position.ts'
import type { RolloutState, ServiceState } from './state.ts'

type Cause = { reason: Reason; problem: Problem | null; now: number }

/**
 * The engine sends the candidate back. Where there is a stable release to go back to, the candidate is blocked, and the
 * breaker opens when this was one rollback too many.
 */
export function turnBack(
  state: ServiceState,
  rollout: RolloutState,
  { reason: cause, problem, now }: Cause,
): Event[] {
  const reason = withNewErrors(rollout, cause)
  // Nothing to go back to, or the way back itself failed: that is for a person, and no verdict on the release.
  const outcome = state.stable === null || rollout.plan.kind === 'rollback' ? 'failed' : 'rolled_back'
  const back = { kind: 'return-started' as const, at: now, outcome, reason, problem } satisfies Event
  if (outcome === 'failed') return [back]
  const rollbacks = countRollback(state, back)
  return [back, blockOf(rollout, reason, now), ...openBreaker(state, rollout, { rollbacks, now })]
}

/** The candidate failed, and the policy is to leave it where it is: no more traffic, no less, until a person decides. */
export function holdFailure(rollout: RolloutState, cause: Reason, now: number): Event[] {
  const reason = withNewErrors(rollout, cause)
  return [{ kind: 'failure-held', at: now, reason }, blockOf(rollout, reason, now)]
}

/** What the policy says about a candidate that has traffic and failed; `null` when it is held already. */
export function failCandidate(
  state: ServiceState,
  rollout: RolloutState,
  reason: Reason,
  now: number,
): Event[] | null {
  if (rollout.settings.rollback.onFailure === 'rollback')
    return turnBack(state, rollout, { reason, problem: null, now })
  return isFailed(rollout) ? null : holdFailure(rollout, reason, now)
}

function blockOf({ id, plan }: RolloutState, reason: Reason, now: number): Event {
  const { release, version, digest } = plan.to
  return {
    kind: 'release-blocked',
    at: now,
    block: { release, version, digest, at: now, rollout: id, reason },
  }
}

function openBreaker(
  state: ServiceState,
  { settings }: RolloutState,
  { rollbacks, now }: { rollbacks: ServiceState['automaticRollbacks']; now: number },
): Event[] {
  const { breaker } = settings.rollback
  const recent = rollbacksThatOpen(rollbacks, breaker, now)
  if (breaker === null || recent === null || state.breaker !== null) return []
  const within = formatDuration(breaker.withinMs)
  const reason: Reason = {
    code: 'BREAKER_OPENED',
    message: `the circuit breaker opened: ${recent.length} automatic ${recent.length === 1 ? 'rollback' : 'rollbacks'} within ${within}`,
    evidence: { rollbacks: recent, limit: breaker },
    actor: ENGINE,
  }
  return [{ kind: 'breaker-opened', at: now, rollbacks: recent, reason }]
}
