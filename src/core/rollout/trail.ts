import type { Look } from '../analysis/evidence/trail.ts'
import { evidenceNow } from '../analysis/judge.ts'
import { dispersionsOf, isWarmingUp } from './count-metrics.ts'
import type { Event } from './event.ts'
import { evolve } from './evolve.ts'
import { checksWithState } from './judge-rollout.ts'
import { newServiceState, type RolloutState } from './state.ts'
import type { ReleaseRef } from './view.ts'

/** What one rollout went through: its batches as they were judged, and where it stood at the end. */
export type Trail = { rollout: RolloutState; looks: readonly Look[]; failures: number }

type Visit = (event: Event, before: RolloutState | null) => void

/** Work that may be long: whoever does it may do something else after each step. */
export type Steps<T> = Generator<undefined, T>

/**
 * Folds the events of one rollout anew, from its start, by the same function that made the state. Its numbers depend on
 * nothing before but the stable release. A day of batches takes seconds, so each event is a step.
 */
export function* refold(
  stable: ReleaseRef | null,
  events: readonly Event[],
  visit: Visit,
): Steps<RolloutState | null> {
  let state = { ...newServiceState(''), stable: stable === null ? null : { ...stable, since: 0 } }
  for (const event of events) {
    visit(event, state.rollout)
    // What was folded is remembered as long as the event is there: of a copy nothing stays.
    state = evolve(state, { ...event })
    yield
  }
  return state.rollout
}

/** `null` when the rollout never began. */
export function* trailOf(stable: ReleaseRef | null, events: readonly Event[]): Steps<Trail | null> {
  const looks: Look[] = []
  let failures = 0
  let judging: Omit<Look, 'checks'> | null = null
  const finish = (after: RolloutState | null): void => {
    if (judging === null || after === null) return
    const checks = checksWithState(after).map(({ check, state }) => ({
      logE: evidenceNow(check, state),
      boundMs: state.boundMs,
    }))
    looks.push({ ...judging, checks })
  }
  const rollout = yield* refold(stable, events, (event, before) => {
    finish(before)
    judging = null
    if (before === null) return
    if (event.kind === 'metrics-failed') failures += 1
    if (event.kind !== 'metrics-observed' || event.batch === null) return
    const { batch } = event
    judging = {
      batch,
      dispersions: dispersionsOf(before, batch.sinceAt),
      isWarmingUp: isWarmingUp(before, batch),
    }
  })
  finish(rollout)
  return rollout === null ? null : { rollout, looks, failures }
}
