import type { Effect } from '../core/rollout/due.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import type { Result } from '../core/shared/result.ts'
import type { VerifyReport } from '../core/shared/verification.ts'
import type { Clock } from '../ports/clock.ts'
import type { EngineObserver } from '../ports/engine-observer.ts'

/** After a success the world needs a moment to show it; asking again sooner would be noise. */
const REPEAT_AFTER_MS = 750
const FIRST_RETRY_MS = 150
const LONGEST_RETRY_MS = 5000

/** What an effect brings back besides that it is done. */
export type EffectAnswer = VerifyReport | null
/** Does one effect through its port. The signal says that nobody waits for it any more. */
export type EffectRunner = (
  stream: string,
  state: ServiceState,
  effect: Effect,
  signal: AbortSignal,
) => Promise<Result<EffectAnswer>>

export type PerformerParts = {
  clock: Clock
  run: EffectRunner
  /** How the answer comes back: as a command like any other. */
  answer(stream: string, effect: Effect, result: Result<EffectAnswer>): void
  observer?: EngineObserver
}

export interface Performer {
  /** Starts what is due and not under way, resting after an answer or waiting out a failure. Never waits for an effect. */
  perform(stream: string, state: ServiceState, effects: readonly Effect[]): void
}

/** `notBefore` is of the clock that nobody sets: a wait must not last an hour because the wall clock was ahead for a moment. */
type Memory = { underWay: AbortController | null; failures: number; notBefore: number }

/**
 * Effects are absolute and fenced, so this memory is only manners, not safety: it keeps one effect from running twice at
 * the same time and a failing one from being hammered. A restart forgets it and observes first.
 */
export function createPerformer({ clock, run, answer, observer }: PerformerParts): Performer {
  const memories = new Map<string, Map<string, Memory>>()

  async function perform(stream: string, state: ServiceState, effect: Effect, memory: Memory): Promise<void> {
    const wanted = new AbortController()
    memory.underWay = wanted
    const [begunAt, attempt] = [clock.monotonic(), memory.failures + 1]
    const result = await run(stream, state, effect, wanted.signal)
    const problem = result.kind === 'ok' ? null : result.problem
    observer?.performed({ stream, effect, attempt, tookMs: clock.monotonic() - begunAt, problem })
    memory.underWay = null
    memory.failures = result.kind === 'ok' ? 0 : memory.failures + 1
    memory.notBefore =
      clock.monotonic() + (result.kind === 'ok' ? REPEAT_AFTER_MS : retryDelayMs(memory.failures))
    answer(stream, effect, result)
  }

  return {
    perform: (stream, state, effects) => {
      const mine = memories.get(stream) ?? new Map<string, Memory>()
      for (const effect of effects) {
        const memory = mine.get(effect.key) ?? {
          underWay: null,
          failures: 0,
          notBefore: Number.NEGATIVE_INFINITY,
        }
        mine.set(effect.key, memory)
        if (memory.underWay !== null || clock.monotonic() < memory.notBefore) continue
        void perform(stream, state, effect, memory)
      }
      forgetOthers(mine, effects)
      if (mine.size > 0) memories.set(stream, mine)
      else memories.delete(stream)
    },
  }
}

/** Keys that are no longer due and not under way need no memory; what is under way learns that nobody waits for it. */
function forgetOthers(memories: Map<string, Memory>, effects: readonly Effect[]): void {
  const wanted = new Set(effects.map(({ key }) => key))
  for (const [key, { underWay }] of memories) {
    if (wanted.has(key)) continue
    if (underWay === null) memories.delete(key)
    else underWay.abort()
  }
}

const retryDelayMs = (failures: number): number =>
  Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1))
