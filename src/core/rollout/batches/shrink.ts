import type { Event } from '../event.ts'
import { candidateSet } from '../judging/judge-rollout.ts'
import { neededReady } from '../rollout-position.ts'
import { isInForce, readyInstances } from '../routing.ts'
import type { StageContext } from '../stage-context.ts'
import type { RolloutState, ServiceState, SetState } from '../state.ts'
import { done } from '../step-done.ts'
import { chooseLeaving } from './members.ts'
import { limitsOf, plannedCandidate, plannedStable, stableSet } from './planned.ts'

/**
 * As many of stable leave as the batch has brought: named and recorded, once the router confirmed the share of those that take
 * their place, and never so many that too few would serve. The step is done when they were let go; how long they take to
 * finish holds up nothing.
 */
export function shrinkStable(
  state: ServiceState,
  rollout: RolloutState,
  { step, now }: StageContext<'shrink'>,
): Event[] {
  const set = stableSet(state)
  if (set === undefined || set.adoption !== null) return done(rollout, now, 'what was taken over stays whole')
  const replicas = plannedStable(state, rollout) ?? step.replicas
  if (set.replicas > replicas) {
    const leaving = chooseLeaving(set, replicas)
    if (!isInForce(state, rollout.plan.to.release) || !mayShrink(state, rollout, { set, leaving })) return []
    return [{ kind: 'set-shrunk', at: now, release: set.release, replicas, leaving }]
  }
  if (set.leaving.length > 0) return []
  return done(
    rollout,
    now,
    `${set.version} keeps ${set.replicas} ${set.replicas === 1 ? 'instance' : 'instances'}`,
  )
}

/** A batch has no room beside stable as it is, since the plan was made beside a smaller one: as many of stable leave first. */
export function makeRoomInStable(state: ServiceState, rollout: RolloutState, now: number): Event[] {
  const set = stableSet(state)
  const replicas = plannedStable(state, rollout)
  if (set === undefined || set.adoption !== null || replicas === null || set.replicas <= replicas) return []
  const leaving = chooseLeaving(set, replicas)
  if (!mayShrink(state, rollout, { set, leaving })) return []
  return [{ kind: 'set-shrunk', at: now, release: set.release, replicas, leaving }]
}

/** The batch is as ready as it must be for its share, and what is left serves. */
function mayShrink(
  state: ServiceState,
  rollout: RolloutState,
  { set, leaving }: { set: SetState; leaving: readonly string[] },
): boolean {
  const [candidate, planned] = [readyInstances(candidateSet(state)).length, plannedCandidate(rollout)]
  if (planned > 0 && candidateSet(state) !== undefined && candidate < neededReady(rollout, planned))
    return false
  const staying = readyInstances(set).filter(({ id }) => !leaving.includes(id)).length
  return candidate + staying >= (limitsOf(state, rollout)?.floor ?? 0)
}
