import type { Command } from '../core/rollout/command.ts'
import { decide } from '../core/rollout/decide.ts'
import { evolveAll } from '../core/rollout/evolve.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import type { Problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { Decided } from './decided.ts'
import type { KnownState } from './decode.ts'
import { notHeld } from './not-held.ts'

/** What several commands come to that are written together. */
export type Together = {
  /** After all of them; `null` when nothing was written or read. */
  state: ServiceState | null
  /** What the command with this index comes to: its own events, and the state as it was after them. */
  answer(index: number): Result<Decided>
}

type Deciding = { now: number; mayDecide(command: Command): boolean; stream: string }

/** Each on what those before made of the state. A refusal changes nothing, so those after it are decided as without it. */
export function decideAll(
  before: KnownState,
  commands: readonly Command[],
  { now, mayDecide, stream }: Deciding,
): Result<Decided>[] {
  let { state, revision } = before
  return commands.map((command) => {
    if (!mayDecide(command)) return failed(notHeld(stream))
    const events = decide(state, command, now)
    if (events.kind === 'failed') return events
    state = evolveAll(state, events.value)
    revision += events.value.length
    return ok({ state, revision, events: events.value })
  })
}

/** A refusal stands whatever became of the others; what was decided holds only if it was written. */
export const togetherOf = (outcomes: readonly Result<Decided>[], appended: Result<KnownState>): Together => ({
  state: appended.kind === 'ok' ? appended.value.state : null,
  answer: (index) => {
    const outcome = outcomes[index]
    if (outcome === undefined) throw new RangeError(`there is no command ${index}`)
    return outcome.kind === 'failed' || appended.kind === 'ok' ? outcome : appended
  },
})

export const allFailed = (problem: Problem): Together => ({ state: null, answer: () => failed(problem) })
