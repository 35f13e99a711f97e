import { formatDuration } from '../../shared/duration.ts'
import { problem } from '../../shared/problem.ts'
import { readyWithinMs } from '../../shared/set-spec.ts'
import { stableSet } from '../batches/planned.ts'
import type { Event } from '../event.ts'
import { candidateSet } from '../judging/judge-rollout.ts'
import type { Reason } from '../reason.ts'
import { ENGINE } from '../reason.ts'
import { everythingTo, isConfirmed, readyInstances } from '../routing.ts'
import type { RolloutState, ServiceState, SetState } from '../state.ts'
import { closing, isClosed, retryAfterIn, stopsFirst } from './closing.ts'

type Returning = Extract<RolloutState['phase'], { kind: 'returning' }>

/**
 * The way back of a plan that stops first, in the same order: nobody is served, the candidate ends, stable is started again
 * (it grows by itself once nothing else runs: `regrow.ts`) and serves as soon as it is ready. `null`: nothing of it is left to do.
 */
export function returnAlone(
  state: ServiceState,
  rollout: RolloutState,
  phase: Returning,
  now: number,
): Event[] | null {
  const set = stableSet(state)
  if (!stopsFirst(rollout.plan) || set === undefined || set.adoption !== null) return null
  const { reason } = phase
  const { release } = rollout.plan.to
  if (!isClosed(state)) {
    const hasTraffic = (state.traffic.weights[release] ?? 0) > 0
    return hasTraffic ? [closing(state, { retryAfterS: retryAfterIn(rollout.plan), reason, now })] : null
  }
  if (!isConfirmed(state)) return []
  if (candidateSet(state)?.role === 'candidate') return [{ kind: 'set-retiring', at: now, release }]
  return reopen(state, rollout, { phase, set, now })
}

type Reopening = { phase: Returning; set: SetState; now: number }

/** As many of stable as any share needs; fewer once they had their time. */
function reopen(state: ServiceState, rollout: RolloutState, { phase, set, now }: Reopening): Event[] {
  if (set.replicas === 0) return []
  // How many it needs and how long it may take are its own matter.
  const { run, strategy, health } = state.settings ?? rollout.settings
  const ready = readyInstances(set).length
  const needed = Math.max(1, Math.ceil((run.replicas * strategy.readyPercent) / 100))
  const isLate = now >= Math.max(phase.since, set.since) + readyWithinMs(health)
  if (ready < needed && !isLate) return []
  const weights = everythingTo(set.release, Object.keys(state.traffic.weights))
  const opened: Event = { kind: 'weights-decided', at: now, weights, reason: phase.reason }
  return ready > 0 ? [opened] : [neverBack(rollout, { phase, set, now }, readyWithinMs(health)), opened]
}

/** Nothing of either version serves, and that is for a person; whatever of stable becomes ready later is served again. */
function neverBack({ plan }: RolloutState, { phase, set, now }: Reopening, deadlineMs: number): Event {
  const within = formatDuration(deadlineMs)
  const message = `${plan.to.version} was taken back (${phase.reason.message}), and ${set.version} did not become ready again within ${within}: nobody is served`
  const reason: Reason = {
    code: 'RETURN_NOT_READY',
    message,
    evidence: { release: set.release },
    actor: ENGINE,
  }
  const trouble = problem('RETURN_NOT_READY', {
    message: `${message}.`,
    remedy: `See its output with "sluice logs --release ${set.release}". It is served as soon as it is ready; or deploy a version that mends it.`,
  })
  return { kind: 'return-started', at: now, outcome: 'failed', reason, problem: trouble }
}
