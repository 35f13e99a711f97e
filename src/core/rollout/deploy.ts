import type { Problem } from '../shared/problem.ts'
import { problem } from '../shared/problem.ts'
import type { Result } from '../shared/result.ts'
import { failed, ok } from '../shared/result.ts'
import type { Command } from './command.ts'
import type { Event } from './event.ts'
import type { Reason } from './reason.ts'
import { isWatching, runningRollout } from './rollout-position.ts'
import type { QueuedRollout, RolloutState, ServiceState } from './state.ts'
import { skipStep } from './step-done.ts'

/** Newest wins. What happens to the one in progress depends on how far it is. */
export function deploy(
  state: ServiceState,
  { rollout: next, now: endWatch }: Extract<Command, { kind: 'deploy' }>,
  now: number,
): Result<Event[]> {
  const current = runningRollout(state)
  const { to } = next.plan
  if (current === null) {
    if (state.stable?.release === to.release) return ok([])
    if (state.stable?.release !== (next.plan.base.stable ?? undefined)) return failed(planMoved(state, next))
    return ok([{ kind: 'rollout-started', at: now, rollout: next }])
  }
  if (current.plan.to.release === to.release && current.phase.kind === 'running')
    return ok(dropQueued(state, next, now))
  if (current.phase.kind === 'returning')
    return ok([...dropQueued(state, next, now), { kind: 'rollout-queued', at: now, rollout: next }])
  const isStableAgain = state.stable?.release === to.release
  if (isWatching(current) && !isStableAgain)
    return ok(deployDuringWatch(state, current, { next, endWatch, now }))
  return ok([...dropQueued(state, next, now), ...supersede(state, next, now)])
}

/** During the watch the newer release waits, unless the watch is ended for it. */
function deployDuringWatch(
  state: ServiceState,
  current: RolloutState,
  { next, endWatch, now }: { next: QueuedRollout; endWatch: boolean; now: number },
): Event[] {
  const queue: Event[] = [...dropQueued(state, next, now), { kind: 'rollout-queued', at: now, rollout: next }]
  if (!endWatch || current.plan.steps[current.stepIndex]?.step.kind !== 'watch') return queue
  const reason: Reason = {
    code: 'WATCH_ENDED',
    message: `${next.actor.name} ended the watch for ${next.plan.to.version}`,
    evidence: {},
    actor: next.actor,
  }
  return [...queue, skipStep(current, reason, now)]
}

/** A newer release during the steps takes the candidate's place: traffic returns to stable first. */
function supersede(state: ServiceState, next: QueuedRollout, now: number): Event[] {
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
  const queued: Event[] = back ? [] : [{ kind: 'rollout-queued', at: now, rollout: next }]
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

function planMoved(state: ServiceState, next: QueuedRollout): Problem {
  const was = next.plan.base.stable ?? 'nothing'
  const is = state.stable?.release ?? 'nothing'
  return problem('PLAN_MOVED', {
    message: `Plan ${next.plan.id} was made when ${was} was stable; now ${is} is.`,
    remedy: `Make a new plan: sluice plan ${next.plan.to.version}`,
  })
}
