import { TOTAL_PERMILLE } from '../../shared/weight.ts'
import type { Event } from '../event.ts'
import { candidateSet } from '../judging/judge-rollout.ts'
import type { Reason } from '../reason.ts'
import { isConfirmed, readyInstances } from '../routing.ts'
import type { RolloutState, ServiceState } from '../state.ts'
import { chooseLeaving } from './members.ts'
import { limitsOf, stableSet } from './planned.ts'

/** Where the way back ends: so many of the candidate stay with this share, and stable takes the rest once so many are ready. */
export type ReverseGoal = {
  candidate: number
  weightPermille: number
  stableNeeded: number
  reason: Reason
}

/**
 * One act of the way back in batches. Stable grows by itself as there is room (regrow.ts); here its share follows as fast as
 * its instances are ready, and then the candidate makes room for the next of them. `null`: nothing is left to do.
 */
export function reverse(
  state: ServiceState,
  rollout: RolloutState,
  goal: ReverseGoal & { now: number },
): Event[] | null {
  const { release } = rollout.plan.to
  const set = stableSet(state)
  if (set === undefined) return null
  const share = TOTAL_PERMILLE - (state.traffic.weights[release] ?? 0)
  const ready = readyInstances(set).length
  const due = shareDue(goal, ready)
  if (due > share) {
    const weights = { ...noWeights(state), [set.release]: due, [release]: TOTAL_PERMILLE - due }
    return [{ kind: 'weights-decided', at: goal.now, weights, reason: goal.reason }]
  }
  const smaller = makeRoom(state, rollout, { ...goal, ready })
  if (smaller !== null) return [smaller]
  return share >= TOTAL_PERMILLE - goal.weightPermille ? null : []
}

const noWeights = ({ traffic }: ServiceState): Record<string, number> =>
  Object.fromEntries(Object.keys(traffic.weights).map((release) => [release, 0]))

/** In proportion to the instances that are ready, so that none gets more than it will have in the end. */
function shareDue({ weightPermille, stableNeeded }: ReverseGoal, ready: number): number {
  const whole = TOTAL_PERMILLE - weightPermille
  if (ready >= stableNeeded) return whole
  return Math.floor((whole * ready) / stableNeeded)
}

/** The candidate keeps what must serve until stable does, and nothing of it leaves before the router confirmed the shares. */
function makeRoom(
  state: ServiceState,
  rollout: RolloutState,
  { candidate: least, ready, now }: ReverseGoal & { ready: number; now: number },
): Event | null {
  const set = candidateSet(state)
  const floor = limitsOf(state, rollout)?.floor ?? 0
  if (set === undefined || set.stage !== 'wanted' || !isConfirmed(state)) return null
  const serving = Math.min(readyInstances(set).length, Math.max(0, floor - ready))
  // The last one leaves with its set.
  const replicas = Math.max(least, serving, 1)
  if (replicas >= set.replicas) return null
  const leaving = chooseLeaving(set, replicas)
  return { kind: 'set-shrunk', at: now, release: set.release, replicas, leaving }
}
