import type { Event } from '../event.ts'
import { isAlone, isSeenSince, stopsFirst } from '../recreate/closing.ts'
import type { Moment } from '../stage-context.ts'
import type { ServiceState, SetState } from '../state.ts'
import { occupancy, stopping } from './members.ts'
import { isBatched, limitsOf, lingers, plannedStable, stableSet } from './planned.ts'

/**
 * A stable set that was taken apart is whole again as soon as nothing wants it smaller, and as far as there is room: instances
 * that were on their way out are called back first. On the way back from a batch this comes before any share of traffic.
 */
export function regrowStable(state: ServiceState, moment: Moment): Event[] {
  const set = stableSet(state)
  if (set === undefined || set.role !== 'stable' || set.stage !== 'wanted' || set.adoption !== null) return []
  const wanted = wantedStable(state, set)
  if (wanted <= set.replicas) return []
  const present = set.replicas + set.leaving.length
  const replicas = Math.min(wanted, Math.max(present, roomFor(state, set, moment)))
  // More is on its way out than may come back: it leaves first.
  if (replicas < present || replicas <= set.replicas) return []
  const { release, version, adoption } = set
  const sequence = state.sequence + 1
  return [
    { kind: 'set-wanted', at: moment.now, release, version, replicas, adoption, role: 'stable', sequence },
  ]
}

/** All of it, unless a rollout is under way that replaces it in batches, or stops it first. */
function wantedStable(state: ServiceState, set: SetState): number {
  const { rollout, settings } = state
  const whole = settings?.run.replicas ?? set.replicas
  if (rollout?.phase.kind !== 'running') return whole
  if (!isBatched(rollout.plan) && !stopsFirst(rollout.plan)) return whole
  // Once the candidate is stable itself, nothing takes it apart.
  if (rollout.plan.to.release === set.release) return whole
  return plannedStable(state, rollout) ?? whole
}

/** What the bound of the batches leaves for stable beside everything else that runs; nothing, while something does that it must not meet. */
function roomFor(state: ServiceState, set: SetState, moment: Moment): number {
  const { rollout } = state
  if (rollout?.phase.kind === 'returning' && stopsFirst(rollout.plan)) {
    // Called back before it stopped, it may go on beside what was there before; nothing starts there.
    const isFree = isAlone(state, set.replicas === 0 ? null : set.release)
    return isFree && isSeenSince(set, moment) ? Number.POSITIVE_INFINITY : 0
  }
  const limits = rollout === null ? null : limitsOf(state, rollout)
  if (limits === null || rollout === null) return Number.POSITIVE_INFINITY
  const others = state.sets
    .filter((other) => other.release !== set.release)
    .reduce((sum, other) => sum + occupancy(other, lingers(state, rollout, other)), 0)
  return limits.most - others - (lingers(state, rollout, set) ? 0 : stopping(set))
}
