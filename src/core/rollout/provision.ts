import { isWorker } from '../release/worker.ts'
import { formatDuration } from '../shared/duration.ts'
import { problem } from '../shared/problem.ts'
import { readyWithinMs } from '../shared/set-spec.ts'
import { occupancy } from './batches/members.ts'
import { limitsOf, lingers } from './batches/planned.ts'
import { makeRoomInStable } from './batches/shrink.ts'
import type { Event } from './event.ts'
import { candidateSet, lastWords } from './judging/judge-rollout.ts'
import type { Reason } from './reason.ts'
import { ENGINE } from './reason.ts'
import { isAlone, stopsFirst } from './recreate/closing.ts'
import { neededReady } from './rollout-position.ts'
import { readyInstances } from './routing.ts'
import { isServing, mayLeave } from './set-upkeep.ts'
import type { StageContext } from './stage-context.ts'
import type { RolloutState, ServiceState, SetState } from './state.ts'
import { done } from './step-done.ts'
import { turnBack } from './turn-back.ts'

/** Output lines of a failed instance that go into the problem. */
const LOG_LINES = 5

/** Starts the candidate's instances and waits until enough of them are ready, or it is clear that they never will be. */
export function provision(
  state: ServiceState,
  rollout: RolloutState,
  { step, startedAt, now, looked, obeyed }: StageContext<'provision'>,
): Event[] {
  const room = makeRoom(state, rollout, now)
  if (room !== null) return room
  const set = candidateSet(state)
  const grows = set === undefined || set.role !== 'candidate' || set.replicas < step.replicas
  if (grows && !hasRoom(state, rollout, step)) return makeRoomInStable(state, rollout, now)
  if (set === undefined) return [wantCandidate(state, rollout, { replicas: step.replicas, now })]
  // What is left of an earlier attempt goes first: a retry starts with fresh instances and fresh counts.
  if (set.role === 'held') return [{ kind: 'set-retiring', at: now, release: set.release }]
  if (set.role === 'retiring' && !isFinishing(rollout, set)) return []
  // One that was kept for the way back comes as it is, and a small one grows.
  if (
    set.role === 'warm' ||
    set.role === 'retiring' ||
    (step.surge === undefined ? set.replicas !== step.replicas : grows)
  )
    return [wantCandidate(state, rollout, { replicas: step.replicas, now })]
  const ready = readyInstances(set).length
  if (ready >= neededReady(rollout, step.replicas))
    return done(rollout, now, `${ready} of ${set.replicas} instances are ready`)
  const hopeless = set.instances.some(({ state }) => state === 'failed')
  return hopeless || isOverdue(state, { set, step, startedAt, now, looked, obeyed })
    ? neverReady(state, rollout, { set, ready, now })
    : []
}

/** An older set that was kept goes first, so that there are never three at once, and while stable is whole; `null` when there is none. */
function makeRoom(state: ServiceState, rollout: RolloutState, now: number): Event[] | null {
  const { previous, sets } = state
  const older = sets.filter(
    (set) =>
      set.release !== rollout.plan.to.release &&
      (set.role === 'warm' || set.role === 'retiring') &&
      previous.some(({ release }) => release === set.release) &&
      !isServing(state, set),
  )
  const kept = older.find((set) => set.role === 'warm' && mayLeave(state, set))
  if (kept !== undefined) return [{ kind: 'set-retiring', at: now, release: kept.release }]
  return older.some(({ role }) => role === 'retiring') ? [] : null
}

/** Its old workers were told to stop, and take their time: new ones need not wait for them. */
const isFinishing = ({ settings }: RolloutState, { stage, letGoAccepted }: SetState): boolean =>
  isWorker(settings) && stage === 'stopping' && letGoAccepted

/** Batches keep to their bound against all that runs: what is still on its way out from before goes first. */
export function hasRoom(
  state: ServiceState,
  rollout: RolloutState,
  { replicas }: Pick<StageContext<'provision'>['step'], 'replicas'>,
): boolean {
  if (stopsFirst(rollout.plan)) return isAlone(state, rollout.plan.to.release)
  const limits = limitsOf(state, rollout)
  if (limits === null) return true
  const others = state.sets.filter(({ release }) => release !== rollout.plan.to.release)
  const taken = others.reduce((sum, set) => sum + occupancy(set, lingers(state, rollout, set)), 0)
  return taken + replicas <= limits.most
}

/** Counted from when these instances were asked for, without the time it was held, and only while the target can tell how they are. */
function isOverdue(
  { troubles, rollout }: ServiceState,
  { set, step, startedAt, now, looked }: StageContext<'provision'> & { set: SetState },
): boolean {
  const since = set.since <= now ? Math.max(startedAt, set.since) : startedAt
  const heldMs = rollout?.heldMs ?? 0
  return looked && troubles.target === undefined && now - since - heldMs >= step.deadlineMs
}

function wantCandidate(
  state: ServiceState,
  rollout: RolloutState,
  { replicas, now }: { replicas: number; now: number },
): Event {
  const { release, version } = rollout.plan.to
  const { adoption } = rollout
  const sequence = state.sequence + 1
  return { kind: 'set-wanted', at: now, release, version, replicas, adoption, role: 'candidate', sequence }
}

/** Users go on as before, unless the plan stopped what served them. */
const whatBecomesOf = ({ plan }: RolloutState): string =>
  stopsFirst(plan)
    ? `${plan.from?.version ?? 'What ran before'} is started again.`
    : 'Traffic stayed where it was.'

type NotReady = { set: SetState; ready: number; now: number }

export function neverReady(
  state: ServiceState,
  rollout: RolloutState,
  { set, ready, now }: NotReady,
): Event[] {
  const { version, release } = rollout.plan.to
  const instance = set.instances.find(({ state }) => state !== 'ready')
  const within = formatDuration(readyWithinMs(rollout.settings.health))
  const message = `${version} never became ready: ${ready} of ${set.replicas} instances within ${within}${lastWords(set)}`
  const log = instance?.logTail.slice(-LOG_LINES) ?? []
  const evidence = {
    instance: instance?.id ?? null,
    probe: instance?.lastProbeFailure?.message ?? null,
    exit: instance?.lastExit ?? null,
    log,
  }
  const reason: Reason = { code: 'NEVER_READY', message, evidence, actor: ENGINE }
  const cause =
    log.length > 0 ? `Last lines of ${instance?.id ?? 'the instance'}: ${log.join(' | ')}` : undefined
  const remedy = `See its output with "sluice logs --release ${release}", mend it, deploy again. ${whatBecomesOf(rollout)}`
  const trouble = problem('NEVER_READY', { message, cause, remedy })
  return turnBack(state, rollout, { reason, problem: trouble, now })
}
