import { isWorker } from '../release/worker.ts'
import { readyWithinMs } from '../shared/set-spec.ts'
import { isBatched, limitsOf, stableSet } from './batches/planned.ts'
import { reverse } from './batches/reverse.ts'
import { routerTrouble } from './effect-answer.ts'
import type { Event } from './event.ts'
import { candidateSet } from './judging/judge-rollout.ts'
import { returnAlone } from './recreate/way-back.ts'
import { everythingTo, isConfirmed, readyInstances } from './routing.ts'
import type { RolloutState, ServiceState } from './state.ts'

type Returning = Extract<RolloutState['phase'], { kind: 'returning' }>

/** Traffic first: everything to stable, confirmed; then the outcome; then the candidate is held and let go. */
export function continueReturn(
  state: ServiceState,
  rollout: RolloutState,
  phase: Returning,
  now: number,
): Event[] {
  const { release } = rollout.plan.to
  const alone = returnAlone(state, rollout, phase, now)
  if (alone !== null) return alone.length > 0 ? alone : stallAlarm(state, phase, now)
  if ((state.traffic.weights[release] ?? 0) > 0) return trafficBack(state, rollout, phase, now)
  if (candidateSet(state)?.role === 'candidate') return [letGo(rollout, phase, now)]
  if (state.stable !== null && !isConfirmed(state)) return stallAlarm(state, phase, now)
  const { outcome, reason } = phase
  const trafficOffMs = trafficOffMsOf(state, rollout, phase)
  const { strategy } = rollout.plan
  return [{ kind: 'outcome-reached', at: now, outcome, reason, trafficOffMs, strategy }]
}

function trafficBack(state: ServiceState, rollout: RolloutState, phase: Returning, now: number): Event[] {
  const { stable } = state
  const { release } = rollout.plan.to
  if (stable === null) return [{ kind: 'weights-decided', at: now, weights: {}, reason: phase.reason }]
  const set = stableSet(state)
  const ready = readyInstances(set).length
  const candidateReady = readyInstances(candidateSet(state)).length > 0
  const needed = Math.max(1, limitsOf(state, rollout)?.floor ?? 1)
  // An instance of stable that does not become ready in its time must not keep traffic on what failed.
  const until = Math.max(phase.since, set?.since ?? 0) + readyWithinMs(rollout.settings.health)
  const mayWait = ready === 0 || now < until
  // Too little of stable is ready and the candidate still answers: a bad answer is better than none, so the return waits.
  if (candidateReady && ready < needed && mayWait) return inBatches(state, rollout, { phase, needed, now })
  const weights = everythingTo(stable.release, [release])
  return [{ kind: 'weights-decided', at: now, weights, reason: phase.reason }]
}

/** Stable was taken apart: it grows first, and gets its share as it becomes ready. */
function inBatches(
  state: ServiceState,
  rollout: RolloutState,
  { phase, needed, now }: { phase: Returning; needed: number; now: number },
): Event[] {
  if (!isBatched(rollout.plan)) return []
  const goal = { candidate: 0, weightPermille: 0, stableNeeded: needed, reason: phase.reason, now }
  return reverse(state, rollout, goal) ?? []
}

/** While the router refuses, the order is given again and again. That nobody may miss it is said once. */
function stallAlarm(state: ServiceState, { stalled }: Returning, now: number): Event[] {
  const trouble = routerTrouble(state)
  return stalled || trouble === null ? [] : [{ kind: 'return-stalled', at: now, problem: trouble }]
}

/** A superseded candidate leaves at once; an aborted one stays a while for inspection. */
function letGo(rollout: RolloutState, phase: Returning, now: number): Event {
  const { release } = rollout.plan.to
  const { holdMs } = rollout.settings.strategy
  // A worker that is held would go on working.
  if (phase.outcome === 'superseded' || phase.outcome === 'failed' || isWorker(rollout.settings))
    return { kind: 'set-retiring', at: now, release }
  return { kind: 'set-held', at: now, release, until: holdMs === null ? null : now + holdMs }
}

/** `null` when the candidate had no traffic, or when nobody could confirm that it has none any more. */
function trafficOffMsOf(state: ServiceState, rollout: RolloutState, phase: Returning): number | null {
  const hadTraffic = rollout.plan.steps.some(
    ({ step }, index) => step.kind === 'traffic' && (rollout.steps[index]?.state ?? 'planned') !== 'planned',
  )
  const { confirmed } = state.traffic
  if (!hadTraffic || confirmed === null || !isConfirmed(state)) return null
  return Math.max(0, confirmed.at - phase.since)
}
