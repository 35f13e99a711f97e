import { ANALYSIS_METHOD } from '../analysis/method.ts'
import type { Problem } from '../shared/problem.ts'
import { problem } from '../shared/problem.ts'
import type { Result } from '../shared/result.ts'
import { failed, ok } from '../shared/result.ts'
import type { Command } from './command.ts'
import type { Event } from './event.ts'
import { whyHeld } from './hold.ts'
import { holdsBegin } from './may-begin.ts'
import type { Reason, WaitingOn } from './reason.ts'
import { isWayBack, refusalOf } from './refusal.ts'
import { isFailed, isWatching, runningRollout } from './rollout-position.ts'
import type { QueuedRollout, RolloutState, ServiceState } from './state.ts'
import { skipStep } from './step-done.ts'

/** Newest wins. What happens to the one in progress depends on how far it is. */
export function deploy(
  state: ServiceState,
  { rollout: next, now: endWatch, wait }: Extract<Command, { kind: 'deploy' }>,
  now: number,
): Result<Event[]> {
  // A request that was sent twice: its rollout began already.
  if (state.rollout?.id === next.id || state.queued?.id === next.id) return ok([])
  const current = runningRollout(state)
  const { to } = next.plan
  const isStableAgain = state.stable?.release === to.release
  const isGoing = current?.phase.kind === 'running' && current.plan.to.release === to.release
  const refused =
    isStableAgain || isGoing ? null : refusalOf(state, { release: to.release, order: next.order }, now)
  if (refused !== null) return failed(refused)
  const held = isStableAgain || isGoing ? null : holdsBegin(state, next, now)
  // Whoever names a time means to wait for it.
  if (held !== null && held.kind !== 'schedule' && !wait) return failed(mayNotBegin(next, held))
  if (current === null) {
    if (isStableAgain) return ok(dropQueued(state, next, now))
    if (state.stable?.release !== (next.plan.base.stable ?? undefined)) return failed(planMoved(state, next))
    if (held !== null) return ok(queue(state, next, now))
    return ok([
      ...dropQueued(state, next, now),
      { kind: 'rollout-started', at: now, rollout: next, method: ANALYSIS_METHOD },
    ])
  }
  if (isGoing) return ok(dropQueued(state, next, now))
  if (current.phase.kind === 'returning' || held !== null) return ok(queue(state, next, now))
  if (isWatching(current) && !isStableAgain && !isFailed(current))
    return deployDuringWatch(state, current, { next, endWatch, now })
  return ok([...dropQueued(state, next, now), ...supersede(state, next, now)])
}

const queue = (state: ServiceState, next: QueuedRollout, now: number): Event[] => [
  ...dropQueued(state, next, now),
  { kind: 'rollout-queued', at: now, rollout: next },
]

/** During the watch the newer release waits, unless the watch is ended for it. */
function deployDuringWatch(
  state: ServiceState,
  current: RolloutState,
  { next, endWatch, now }: { next: QueuedRollout; endWatch: boolean; now: number },
): Result<Event[]> {
  const queued = queue(state, next, now)
  if (!endWatch || current.plan.steps[current.stepIndex]?.step.kind !== 'watch') return ok(queued)
  const held = whyHeld(state, current)
  // A way back waits for nothing: it leaves the held watch by way of stable.
  if (held !== null && isWayBack(next.order))
    return ok([...dropQueued(state, next, now), ...supersede(state, next, now)])
  if (held !== null) return failed(watchStays(current, held))
  const reason: Reason = {
    code: 'WATCH_ENDED',
    message: `${next.actor.name} ended the watch for ${next.plan.to.version}`,
    evidence: {},
    actor: next.actor,
  }
  const isPaused = current.phase.kind === 'running' && current.phase.paused !== null
  const resumed: Event[] = isPaused ? [{ kind: 'rollout-resumed', at: now, reason }] : []
  return ok([...queued, ...resumed, skipStep(current, reason, now)])
}

/** A newer release during the steps takes the candidate's place: traffic returns to stable first. */
export function supersede(state: ServiceState, next: QueuedRollout, now: number): Event[] {
  const back = state.stable?.release === next.plan.to.release
  const reason: Reason = back
    ? {
        code: 'STABLE_AGAIN',
        message: `${next.actor.name} deployed ${next.plan.to.version} again, which is stable`,
        evidence: {},
        actor: next.actor,
      }
    : {
        code: 'SUPERSEDED',
        message: `${next.plan.to.version} took its place`,
        evidence: { by: next.id },
        actor: next.actor,
      }
  const isWaiting = state.queued?.id === next.id
  const queued: Event[] = back || isWaiting ? [] : [{ kind: 'rollout-queued', at: now, rollout: next }]
  return [
    ...queued,
    { kind: 'return-started', at: now, outcome: back ? 'aborted' : 'superseded', reason, problem: null },
  ]
}

function dropQueued(state: ServiceState, next: QueuedRollout, now: number): Event[] {
  if (state.queued === null) return []
  const reason: Reason = {
    code: 'SUPERSEDED',
    message: `${next.plan.to.version} took its place before it began`,
    evidence: { by: next.id },
    actor: next.actor,
  }
  return [{ kind: 'queue-dropped', at: now, rollout: state.queued.id, reason }]
}

function mayNotBegin({ plan }: QueuedRollout, { kind, message }: WaitingOn): Problem {
  return problem(kind === 'freeze' ? 'FROZEN' : 'OUTSIDE_WINDOW', {
    message: `${plan.to.version} may not begin now: ${message}.`,
    remedy: 'Let it wait for its turn (without --no-wait), or come back then.',
    retryable: true,
  })
}

const watchStays = ({ plan }: RolloutState, held: string): Problem =>
  problem('NOT_ALLOWED_NOW', {
    message: `The watch of ${plan.to.version} cannot be ended now: ${held}.`,
    remedy: 'Let the release wait for the end of the watch (without --now), or lift first what holds it.',
  })

function planMoved(state: ServiceState, next: QueuedRollout): Problem {
  const was = next.plan.base.stable ?? 'nothing'
  const is = state.stable?.release ?? 'nothing'
  return problem('PLAN_MOVED', {
    message: `Plan ${next.plan.id} was made when ${was} was stable; now ${is} is.`,
    remedy: `Make a new plan: sluice plan ${next.plan.to.version}`,
  })
}
