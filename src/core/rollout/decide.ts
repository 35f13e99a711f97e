import { ANALYSIS_METHOD } from '../analysis/method.ts'
import type { Result } from '../shared/result.ts'
import { ok } from '../shared/result.ts'
import { advance } from './advance.ts'
import { giveUp, jump, pause, promote, resume, unadopt } from './by-hand.ts'
import type { Command, Observed } from './command.ts'
import { deploy } from './deploy.ts'
import { discard } from './discard.ts'
import { noteFailure, noteSuccess } from './effect-answer.ts'
import type { Event } from './event.ts'
import { evolveAll } from './evolve.ts'
import { noteFreeze } from './freezing.ts'
import { hearAll } from './judging/alerts.ts'
import { block, closeBreaker, unblock } from './lift.ts'
import { isBackWanted } from './light-watch/light-watch-back.ts'
import { seeMetric } from './metrics/metric-seen.ts'
import { observe } from './observe.ts'
import type { ServiceState } from './state.ts'
import { noteVerified } from './verifying.ts'

/**
 * The one place where anything is decided: what the command itself means, then everything that follows from it.
 * Pure and total; `now` is data. Refusals change nothing.
 */
export function decide(state: ServiceState, command: Command, now: number): Result<Event[]> {
  const direct = answer(state, command, now)
  if (direct.kind === 'failed') return direct
  const after = evolveAll(state, direct.value)
  const looked = observationIn(command) !== undefined
  return ok([...direct.value, ...advance(after, { now, looked, obeyed: obeyedIn(state, command) })])
}

function answer(state: ServiceState, command: Command, now: number): Result<Event[]> {
  switch (command.kind) {
    case 'controller-started':
      return ok(begin(state, command, now))
    case 'deploy':
      return deploy(state, command, now)
    case 'freeze-seen':
      return ok(noteFreeze(state, command.seen, now))
    case 'promote':
      return promote(state, command, now)
    case 'jump':
      return jump(state, command, now)
    case 'pause':
      return pause(state, command, now)
    case 'resume':
      return resume(state, command, now)
    case 'abort':
      return giveUp(state, { outcome: 'aborted', code: 'ABORTED', verb: 'aborted' }, command, now)
    case 'rollback':
      return giveUp(
        state,
        { outcome: 'rolled_back', code: 'ROLLED_BACK_BY_HAND', verb: 'rolled back' },
        command,
        now,
      )
    case 'unadopt':
      return unadopt(state, command, now)
    case 'discard':
      return discard(state, command, now)
    case 'block':
      return block(state, command, now)
    case 'unblock':
      return unblock(state, command, now)
    case 'close-breaker':
      return closeBreaker(state, command, now)
    case 'hear-alerts':
      return ok(hearAll(state, command.alerts, now))
    case 'go-back':
      return isBackWanted(state)
        ? deploy(state, { kind: 'deploy', rollout: command.rollout, now: false, wait: true }, now)
        : ok([])
    case 'observed':
      return ok(isOutdated(state, command) ? [] : observe(state, command.observation, now))
    case 'metric-sampled':
      return ok(seeMetric(state, command, now))
    case 'verified':
      return ok(noteVerified(state, command, now))
    case 'effect-failed':
      return ok(noteFailure(state, command, now))
    case 'effect-succeeded':
      return ok(noteSuccess(state, command, now))
  }
}

function begin(
  state: ServiceState,
  { epoch, observation }: Extract<Command, { kind: 'controller-started' }>,
  now: number,
): Event[] {
  const begun: Event = { kind: 'controller-started', at: now, epoch, method: ANALYSIS_METHOD }
  if (observation === undefined) return [begun]
  return [begun, ...observe(evolveAll(state, [begun]), observation, now)]
}

const observationIn = (command: Command): Observed | undefined =>
  command.kind === 'observed' || command.kind === 'controller-started' ? command.observation : undefined

function obeyedIn(state: ServiceState, command: Command): number | null {
  if (command.kind === 'observed' && isOutdated(state, command)) return null
  const seen = observationIn(command)?.instances
  return seen?.kind === 'seen' ? (seen.obeyed ?? Number.POSITIVE_INFINITY) : null
}

const isOutdated = (
  { epoch }: ServiceState,
  { underEpoch }: Extract<Command, { kind: 'observed' }>,
): boolean => underEpoch !== undefined && underEpoch !== epoch
