import { TOTAL_PERMILLE } from '../../shared/weight.ts'
import type { Event } from '../event.ts'
import { candidateSet } from '../judging/judge-rollout.ts'
import type { Reason } from '../reason.ts'
import { ENGINE } from '../reason.ts'
import { neededReady } from '../rollout-position.ts'
import { everythingTo, isConfirmed, isInForce, readyInstances } from '../routing.ts'
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
  // The last of stable serves for as long as it has a share: only a batch without room takes that.
  const least = (state.traffic.weights[set.release] ?? 0) > 0 ? 1 : 0
  const replicas = Math.max(least, plannedStable(state, rollout) ?? step.replicas)
  if (set.replicas > replicas) {
    const leaving = chooseLeaving(set, replicas)
    const planned = plannedCandidate(rollout)
    if (!isInForce(state, rollout.plan.to.release) || !mayShrink(state, rollout, { set, leaving, planned }))
      return []
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
  // Those of the batch are still to come: what was asked for until now must be ready.
  const candidate = candidateSet(state)
  const planned = candidate?.role === 'candidate' ? candidate.replicas : 0
  if (!mayShrink(state, rollout, { set, leaving, planned })) return []
  if (replicas === 0 && (state.traffic.weights[set.release] ?? 0) > 0 && readyInstances(candidate).length > 0)
    return [lastShare(state, rollout, { set, now })]
  return isConfirmed(state) ? [{ kind: 'set-shrunk', at: now, release: set.release, replicas, leaving }] : []
}

/** Before the last of stable leaves, the candidate gets its share, or a share would be left that nobody serves. */
function lastShare(
  { traffic: { weights } }: ServiceState,
  rollout: RolloutState,
  { set, now }: { set: SetState; now: number },
): Event {
  const { release, version } = rollout.plan.to
  const message = `${version} gets 100% of traffic: the next batch has no room beside the last of ${set.version}`
  const reason: Reason = {
    code: 'STEP',
    message,
    evidence: { weightPermille: TOTAL_PERMILLE },
    actor: ENGINE,
  }
  const others = Object.keys(weights).filter((other) => other !== release)
  return { kind: 'weights-decided', at: now, weights: everythingTo(release, others), reason }
}

/** The batch is as ready as it must be for its share, and what is left serves. */
function mayShrink(
  state: ServiceState,
  rollout: RolloutState,
  { set, leaving, planned }: { set: SetState; leaving: readonly string[]; planned: number },
): boolean {
  const candidate = readyInstances(candidateSet(state)).length
  if (planned > 0 && candidateSet(state) !== undefined && candidate < neededReady(rollout, planned))
    return false
  const staying = readyInstances(set).filter(({ id }) => !leaving.includes(id)).length
  return candidate + staying >= (limitsOf(state, rollout)?.floor ?? 0)
}
