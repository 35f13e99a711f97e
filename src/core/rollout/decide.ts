import { problem } from '../shared/problem.ts'
import type { Problem } from '../shared/problem.ts'
import type { Result } from '../shared/result.ts'
import { failed, ok } from '../shared/result.ts'
import { advance, isWatching } from './advance.ts'
import type { Command } from './command.ts'
import type { Event } from './event.ts'
import { evolveAll } from './evolve.ts'
import { observe } from './observe.ts'
import type { Actor, Reason } from './reason.ts'
import { ENGINE } from './reason.ts'
import type { QueuedRollout, RolloutState, ServiceState } from './state.ts'

/**
 * The one place where anything is decided: what the command itself means, then everything that follows from it.
 * Pure and total; `now` is data. Refusals change nothing.
 */
export function decide(state: ServiceState, command: Command, now: number): Result<Event[]> {
  const direct = answer(state, command, now)
  if (direct.kind === 'failed') return direct
  const after = evolveAll(state, direct.value)
  return ok([...direct.value, ...advance(after, now)])
}

function answer(state: ServiceState, command: Command, now: number): Result<Event[]> {
  switch (command.kind) {
    case 'controller-started':
      return ok([{ kind: 'controller-started', at: now, epoch: command.epoch }])
    case 'deploy':
      return deploy(state, command, now)
    case 'promote':
      return promote(state, command, now)
    case 'pause':
      return pause(state, command, now)
    case 'resume':
      return resume(state, command, now)
    case 'abort':
      return giveUp(state, { outcome: 'aborted', code: 'ABORTED', verb: 'aborted' }, command, now)
    case 'rollback':
      return giveUp(state, { outcome: 'rolled_back', code: 'ROLLED_BACK_BY_HAND', verb: 'rolled back' }, command, now)
    case 'unadopt':
      return unadopt(state, command, now)
    case 'observed':
      return ok(observe(state, command.observation, now))
    case 'effect-failed':
      return ok(noteFailure(state, command, now))
    case 'effect-succeeded':
      return ok(noteSuccess(state, command.effect, now))
  }
}

const running = (state: ServiceState): RolloutState | null => (state.rollout === null || state.rollout.phase.kind === 'ended' ? null : state.rollout)

// ---- deploy: newest wins --------------------------------------------------------------------------------------------

function deploy(state: ServiceState, { rollout: next, now: endWatch }: Extract<Command, { kind: 'deploy' }>, now: number): Result<Event[]> {
  const current = running(state)
  const { to } = next.plan
  if (current === null) {
    if (state.stable?.release === to.release) return ok([])
    if (state.stable?.release !== (next.plan.base.stable ?? undefined)) return failed(planMoved(state, next))
    return ok([{ kind: 'rollout-started', at: now, rollout: next }])
  }
  if (current.plan.to.release === to.release && current.phase.kind === 'running') return ok([])
  if (current.phase.kind === 'returning') return ok([...dropQueued(state, next, now), { kind: 'rollout-queued', at: now, rollout: next }])
  if (isWatching(current)) return ok(deployDuringWatch(state, current, { next, endWatch, now }))
  return ok([...dropQueued(state, next, now), ...supersede(state, next, now)])
}

/** During the watch the newer release waits, unless the watch is ended for it. */
function deployDuringWatch(state: ServiceState, current: RolloutState, { next, endWatch, now }: { next: QueuedRollout; endWatch: boolean; now: number }): Event[] {
  const queue: Event[] = [...dropQueued(state, next, now), { kind: 'rollout-queued', at: now, rollout: next }]
  if (!endWatch || current.plan.steps[current.stepIndex]?.step.kind !== 'watch') return queue
  const reason: Reason = { code: 'WATCH_ENDED', message: `${next.actor.name} ended the watch for ${next.plan.to.version}`, evidence: {}, actor: next.actor }
  return [...queue, skipStep(current, reason, now)]
}

/** A newer release during the steps takes the candidate's place: traffic returns to stable first. */
function supersede(state: ServiceState, next: QueuedRollout, now: number): Event[] {
  const back = state.stable?.release === next.plan.to.release
  const reason: Reason = back
    ? { code: 'STABLE_AGAIN', message: `${next.actor.name} deployed ${next.plan.to.version} again, which is stable`, evidence: {}, actor: next.actor }
    : { code: 'SUPERSEDED', message: `${next.plan.to.version} took its place`, evidence: { by: next.id }, actor: next.actor }
  const queued: Event[] = back ? [] : [{ kind: 'rollout-queued', at: now, rollout: next }]
  return [...queued, { kind: 'return-started', at: now, outcome: back ? 'aborted' : 'superseded', reason, problem: null }]
}

function dropQueued(state: ServiceState, next: QueuedRollout, now: number): Event[] {
  if (state.queued === null) return []
  const reason: Reason = { code: 'SUPERSEDED', message: `${next.plan.to.version} took its place before it began`, evidence: { by: next.id }, actor: next.actor }
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

// ---- by hand ----------------------------------------------------------------------------------------------------------

type ByHand = { actor: Actor; note: string }

const byHand = (code: string, verb: string, { actor, note }: ByHand): Reason => ({
  code,
  message: note === '' ? `${actor.name} ${verb}` : `${actor.name} ${verb}: ${note}`,
  evidence: note === '' ? {} : { note },
  actor,
})

function promote(state: ServiceState, command: Extract<Command, { kind: 'promote' }>, now: number): Result<Event[]> {
  const current = running(state)
  if (current === null) return failed(nothingInProgress(state, 'promote'))
  if (current.phase.kind === 'returning') return failed(notNow('promote', `${current.plan.to.version} is on its way back (${current.reason.message})`))
  const resumed: Event[] = current.phase.kind === 'running' && current.phase.paused !== null ? [{ kind: 'rollout-resumed', at: now, reason: byHand('RESUMED', 'went on', command) }] : []
  const kind = current.plan.steps[current.stepIndex]?.step.kind
  if (command.full && kind !== 'watch') {
    if (isWatching(current)) return failed(notNow('promote', 'all traffic is on the candidate already'))
    return ok([...resumed, { kind: 'full-promotion-asked', at: now, reason: byHand('PROMOTED_BY_HAND', 'promoted all the way', command) }])
  }
  if (kind === 'observe' || kind === 'watch') return ok([...resumed, skipStep(current, byHand('PROMOTED_BY_HAND', 'promoted the step', command), now)])
  if (resumed.length > 0) return ok(resumed)
  return failed(notNow('promote', `step ${current.stepIndex + 1} (${current.plan.steps[current.stepIndex]?.label ?? 'end'}) has to be finished first`))
}

const skipStep = (current: RolloutState, reason: Reason, now: number): Event => ({ kind: 'step-finished', at: now, index: current.stepIndex, skipped: true, reason })

function pause(state: ServiceState, command: ByHand, now: number): Result<Event[]> {
  const current = running(state)
  if (current === null) return failed(nothingInProgress(state, 'pause'))
  if (current.phase.kind !== 'running') return failed(notNow('pause', `${current.plan.to.version} is on its way back`))
  if (current.phase.paused !== null) return ok([])
  if (isWatching(current)) return failed(notNow('pause', 'all traffic is on the candidate already; the watch only waits'))
  return ok([{ kind: 'rollout-paused', at: now, reason: byHand('PAUSED', 'paused', command), checks: [] }])
}

function resume(state: ServiceState, command: ByHand, now: number): Result<Event[]> {
  const current = running(state)
  if (current === null) return failed(nothingInProgress(state, 'resume'))
  if (current.phase.kind !== 'running') return failed(notNow('resume', `${current.plan.to.version} is on its way back`))
  if (current.phase.paused === null) return ok([])
  return ok([{ kind: 'rollout-resumed', at: now, reason: byHand('RESUMED', 'went on', command) }])
}

type GiveUp = { outcome: 'aborted' | 'rolled_back'; code: string; verb: string }

/** Always allowed in the direction of stable, at any moment before the candidate is stable itself. */
function giveUp(state: ServiceState, { outcome, code, verb }: GiveUp, command: ByHand, now: number): Result<Event[]> {
  const current = running(state)
  if (current === null) return failed(nothingInProgress(state, outcome === 'aborted' ? 'abort' : 'rollback'))
  if (current.phase.kind === 'returning') return ok([])
  if (state.stable?.release === current.plan.to.release)
    return failed(notNow(outcome === 'aborted' ? 'abort' : 'rollback', `${current.plan.to.version} is stable already and the old set is being retired; wait for the end, then use "sluice rollback"`))
  const reason = byHand(code, `${verb} ${current.plan.to.version}`, command)
  return ok([{ kind: 'return-started', at: now, outcome: state.stable === null ? 'aborted' : outcome, reason, problem: null }])
}

function unadopt(state: ServiceState, command: ByHand, now: number): Result<Event[]> {
  if (running(state) !== null) return failed(notNow('unadopt', 'a rollout is in progress'))
  const set = state.sets.find(({ release }) => release === state.stable?.release)
  if (set === undefined || set.adoption === null)
    return failed(problem('NOT_ADOPTED', { message: `${state.stream} is not an adopted service.`, remedy: 'Only a service that was taken over with "sluice adopt" can be given back. To stop one of ours: sluice down.' }))
  return ok([{ kind: 'control-released', at: now, reason: byHand('RELEASED', 'gave the service back', command), sequence: state.sequence + 1 }])
}

const nothingInProgress = (state: ServiceState, verb: string): Problem =>
  problem('NOTHING_IN_PROGRESS', {
    message: `No rollout of ${state.stream} is in progress, so there is nothing to ${verb}.`,
    remedy: verb === 'rollback' ? 'Name an earlier release: sluice rollback --to VERSION (see "sluice release list").' : 'See "sluice status".',
  })

const notNow = (verb: string, why: string): Problem => problem('NOT_ALLOWED_NOW', { message: `Cannot ${verb} now: ${why}.`, remedy: 'See "sluice status" for what is possible.' })

// ---- effects ----------------------------------------------------------------------------------------------------------

function noteFailure(state: ServiceState, { effect, problem: trouble }: Extract<Command, { kind: 'effect-failed' }>, now: number): Event[] {
  const part = `effect ${effect}`
  const seen: Event[] = state.troubles[part]?.code === trouble.code ? [] : [{ kind: 'trouble-seen', at: now, part, problem: trouble }]
  return [...seen, ...hopeless(state, { effect, trouble, now })]
}

/** A candidate that can never start, or a first release that can never listen, ends now instead of at its deadline. */
function hopeless(state: ServiceState, { effect, trouble, now }: { effect: string; trouble: Problem; now: number }): Event[] {
  const current = running(state)
  if (current === null || current.phase.kind !== 'running' || trouble.retryable || trouble.code === 'STALE_TOKEN') return []
  const cannotStart = effect === `start-set ${current.plan.to.release}` || effect === `adopt-set ${current.plan.to.release}`
  const cannotListen = state.stable === null && trouble.code === 'LISTEN_FAILED'
  if (!cannotStart && !cannotListen) return []
  const reason: Reason = { code: trouble.code, message: trouble.message, evidence: { effect }, actor: ENGINE }
  const outcome = state.stable === null || current.plan.kind === 'rollback' ? 'failed' : 'rolled_back'
  return [{ kind: 'return-started', at: now, outcome, reason, problem: trouble }]
}

function noteSuccess(state: ServiceState, effect: string, now: number): Event[] {
  const over: Event[] = state.troubles[`effect ${effect}`] === undefined ? [] : [{ kind: 'trouble-over', at: now, part: `effect ${effect}` }]
  const [kind, release] = effect.split(' ')
  const set = state.sets.find((one) => one.release === release)
  const letGo = (kind === 'stop-set' || kind === 'release-set') && set !== undefined && set.stage !== 'wanted' && !set.letGoAccepted
  if (letGo) return [...over, { kind: 'let-go-accepted', at: now, release: set.release }]
  return kind === 'finalize' && state.finalizing ? [...over, { kind: 'service-finalized', at: now }] : over
}

