import type { Command } from '../core/rollout/command.ts'
import { decide } from '../core/rollout/decide.ts'
import { due } from '../core/rollout/due.ts'
import type { Event } from '../core/rollout/event.ts'
import { evolve } from '../core/rollout/evolve.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { STATE_SCHEMA_VERSION } from '../core/rollout/state.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Store } from '../ports/store.ts'
import { messagesFor } from './announce.ts'
import { notHeld } from './not-held.ts'
import type { Performer } from './perform.ts'
import { recordsFor } from './record.ts'
import { createStates, type KnownState } from './states.ts'
import { createStreamLock } from './stream-lock.ts'

/** A conflict means somebody else wrote between load and append: loaded anew this often before giving up. */
const CONFLICT_LIMIT = 5

export type Decided = { state: ServiceState; revision: number; events: readonly Event[] }

export type EngineParts = {
  store: Store
  clock: Clock
  log: Log
  performer: Performer
  /** Epoch under which this controller may act on a stream, or `null` when it may not. */
  epochOf(stream: string): number | null
  /** Tells this state folder from every other one in the keys that outsiders see. */
  installation: string
  /** Told after each append, in order per stream. */
  onDecided(stream: string, decided: Decided): void
  /** Another controller looks after the stream: this one must not act on it any more. */
  onFenced(stream: string): void
}

export interface Engine {
  /** Decides one command: load, decide, append, perform. Refusals and storage failures are values; nothing is half done. */
  handle(stream: string, command: Command): Promise<Result<Decided>>
  load(stream: string): Promise<Result<KnownState>>
}

export function createEngine(parts: EngineParts): Engine {
  const { store, clock, performer } = parts
  const lock = createStreamLock()
  const { load, keep } = createStates(store)

  async function handle(stream: string, command: Command): Promise<Result<Decided>> {
    const decided = await lock.run(stream, () => decideDurably(stream, command))
    if (decided.kind === 'ok' && parts.epochOf(stream) === decided.value.state.epoch)
      performer.perform(stream, decided.value.state, due(decided.value.state))
    return decided
  }

  async function decideDurably(stream: string, command: Command): Promise<Result<Decided>> {
    const epoch = parts.epochOf(stream)
    if (epoch === null && !isFromPerson(command)) return failed(notHeld(stream))
    for (let attempt = 0; attempt < CONFLICT_LIMIT; attempt += 1) {
      const loaded = await load(stream)
      if (loaded.kind === 'failed') return loaded
      const events = decide(loaded.value.state, command, clock.now())
      if (events.kind === 'failed') return events
      if (events.value.length === 0) return ok({ ...loaded.value, events: [] })
      const appended = await append(stream, { ...loaded.value, epoch }, events.value)
      if (appended.kind === 'ok' || appended.problem.code !== 'STORE_CONFLICT') return appended
    }
    return failed(
      problem('STORE_CONFLICT', {
        message: `${stream} was changed by somebody else ${CONFLICT_LIMIT} times in a row.`,
        remedy: 'Try again.',
        retryable: true,
      }),
    )
  }

  async function append(
    stream: string,
    before: { state: ServiceState; revision: number; epoch: number | null },
    events: readonly Event[],
  ): Promise<Result<Decided>> {
    const at = clock.now()
    const states = foldAll(before.state, events)
    const state = states.at(-1) ?? before.state
    const appended = await store.append({
      stream,
      expectedRevision: before.revision,
      epoch: before.epoch,
      at,
      events: events.map((event) => ({ kind: event.kind, event })),
      schemaVersion: STATE_SCHEMA_VERSION,
      state,
      due: dueOf(state, at),
      messages: messagesFor(
        { stream, revision: before.revision, installation: parts.installation },
        events,
        states,
      ),
      documents: recordsFor({ stream, revision: before.revision, before: before.state, events, states }),
    })
    if (appended.kind === 'failed') {
      if (appended.problem.code === 'STORE_FENCED') {
        parts.log.warn('write refused: another controller has the lease', {
          stream,
          problem: appended.problem,
        })
        parts.onFenced(stream)
      }
      return appended
    }
    const decided = { state, revision: appended.value.revision, events }
    keep(stream, { state, revision: decided.revision })
    parts.onDecided(stream, decided)
    return ok(decided)
  }

  return { handle, load }
}

/** What people ask for may be decided by any controller: the journal keeps the order. The rest is for the holder of the lease. */
const isFromPerson = (command: Command): boolean =>
  'actor' in command || command.kind === 'deploy' || command.kind === 'freeze-seen'

/** When somebody has to look after the stream: at once, as long as there is anything to look after. */
const dueOf = ({ sets, rollout, finalizing, queued }: ServiceState, at: number): number | null =>
  sets.length > 0 || finalizing || queued !== null || (rollout !== null && rollout.phase.kind !== 'ended')
    ? at
    : null

/** The state after each event, so that what is said about an event fits its moment. */
function foldAll(before: ServiceState, events: readonly Event[]): ServiceState[] {
  const states: ServiceState[] = []
  for (const event of events) states.push(evolve(states.at(-1) ?? before, event))
  return states
}
