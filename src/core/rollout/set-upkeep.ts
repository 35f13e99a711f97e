import { regrowStable } from './batches/regrow.ts'
import { isBusy } from './drains.ts'
import type { Event } from './event.ts'
import { isClosed, isSeenSince } from './recreate/closing.ts'
import { isConfirmed, livingInstances, readyInstances } from './routing.ts'
import type { Moment } from './stage-context.ts'
import type { ServiceState, SetState } from './state.ts'

/** Sets that are no longer wanted leave in order: hold (or keep), drain, stop, gone. */
export function setUpkeep(state: ServiceState, moment: Moment): Event[] {
  for (const set of state.sets) {
    const next = nextFor(state, set, moment) ?? dismissal(state, set, moment.now)
    if (next !== null) return [next]
  }
  return regrowStable(state, moment)
}

/** The router confirmed routes without new work for those that leave, and reports nothing in flight on them. */
function dismissal(state: ServiceState, set: SetState, now: number): Event | null {
  const { release, leaving: instances, stage } = set
  if (instances.length === 0 || stage !== 'wanted' || !isConfirmed(state)) return null
  if (instances.some((id) => isBusy(state, id))) return null
  return { kind: 'instances-dismissed', at: now, release, instances, sequence: state.sequence + 1 }
}

function nextFor(state: ServiceState, set: SetState, moment: Moment): Event | null {
  const { release } = set
  const { now } = moment
  if (isTimeOver(set, now) && mayLeave(state, set)) return { kind: 'set-retiring', at: now, release }
  if (set.stage === 'releasing' && set.letGoAccepted) return { kind: 'set-gone', at: now, release }
  if (set.stage === 'stopping' && set.letGoAccepted && isGone(state, set, moment))
    return { kind: 'set-gone', at: now, release }
  const isLeaving = set.role === 'retiring' && set.stage === 'wanted'
  if (isLeaving && !isRollingOver(state, set) && isDrained(state, set))
    return { kind: 'set-stopping', at: now, release, sequence: state.sequence + 1 }
  return null
}

/**
 * Nothing of it runs. Where something waits for the very last of it, the look must be from after the order; and where none was
 * ever seen, one may have started since the last look and stop now.
 */
const isGone = (state: ServiceState, set: SetState, moment: Moment): boolean =>
  livingInstances(set).length === 0 &&
  ((!isClosed(state) && set.instances.length > 0) || isSeenSince(set, moment))

const isTimeOver = ({ role, releaseAt }: SetState, now: number): boolean =>
  (role === 'held' || role === 'warm') && releaseAt !== null && now >= releaseAt

/** What was kept for the way back stays while stable has lost instances: it may be needed at any moment. */
export function mayLeave(state: ServiceState, set: SetState): boolean {
  if (isServing(state, set)) return false
  if (set.role !== 'warm') return true
  const stable = state.sets.find(({ release }) => release === state.stable?.release)
  const percent = state.settings?.strategy.readyPercent ?? 100
  return stable !== undefined && readyInstances(stable).length >= Math.ceil((stable.replicas * percent) / 100)
}

/** It stands in for a stable set of which nothing is ready: taking it away would leave nobody. */
export const isServing = ({ traffic }: ServiceState, set: SetState): boolean =>
  traffic.routes.some(({ release, weightPermille }) => release === set.release && weightPermille > 0)

/** The steps of a running rollout retire the old set themselves, so that its drain is part of the record. */
const isRollingOver = (state: ServiceState, set: SetState): boolean =>
  state.rollout?.phase.kind === 'running' && state.rollout.plan.from?.release === set.release

/** The router confirmed routes without new work for the set, and reports nothing in flight on it. */
export const isDrained = (state: ServiceState, set: SetState): boolean =>
  isConfirmed(state) &&
  (state.traffic.weights[set.release] ?? 0) === 0 &&
  !isServing(state, set) &&
  livingInstances(set).every(({ id }) => !isBusy(state, id))
