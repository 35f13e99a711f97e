import type { Command } from '../core/rollout/command.ts'
import { due } from '../core/rollout/due.ts'
import type { Event } from '../core/rollout/event.ts'
import { evolve } from '../core/rollout/evolve.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { STATE_SCHEMA_VERSION } from '../core/rollout/state.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { AppendRequest, Store } from '../ports/store.ts'
import { messagesFor } from './announce.ts'
import { type Asked, createCommandQueue } from './command-queue.ts'
import { allFailed, decideAll, type Together, togetherOf } from './decide-together.ts'
import type { Decided } from './decided.ts'
import type { KnownState } from './decode.ts'
import { notHeld } from './not-held.ts'
import type { Performer } from './perform.ts'
import { recordsFor } from './record.ts'
import { createStates } from './states.ts'
import { createStreamLock } from './stream-lock.ts'

/** A conflict means somebody else wrote between load and append: loaded anew this often before giving up. */
const CONFLICT_LIMIT = 5
/** An evaluation changes a few numbers of a state of many kilobytes: that is written only with each so many events. */
const SNAPSHOT_EVERY = 8
/** A command waits for the others it is written with. */
const TOGETHER_LIMIT = 20

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
  load(stream: string): Promise<Result<{ state: ServiceState; revision: number }>>
}

export function createEngine(parts: EngineParts): Engine {
  const { store, clock, performer } = parts
  const lock = createStreamLock()
  const queue = createCommandQueue<Decided>()
  const { load, keep, forget } = createStates(store)

  async function handle(stream: string, command: Command): Promise<Result<Decided>> {
    const answer = queue.add(stream, command)
    void lock.run(stream, () => decideWaiting(stream))
    return answer
  }

  /** Commands that came while another one was written are decided one after the other and written together. */
  async function decideWaiting(stream: string): Promise<void> {
    const asked = queue.take(stream, TOGETHER_LIMIT)
    if (asked.length > 0) await decideFor(stream, asked)
  }

  async function decideFor(stream: string, asked: readonly Asked<Decided>[]): Promise<void> {
    const commands = asked.map(({ command }) => command)
    try {
      const { state, answer } = await decideDurably(stream, commands)
      if (state !== null && parts.epochOf(stream) === state.epoch)
        performer.perform(stream, state, due(state))
      for (const [index, { resolve }] of asked.entries()) resolve(answer(index))
    } catch (error) {
      // A bug in one decision must not take the others with it.
      if (asked.length === 1) for (const { reject } of asked) reject(error)
      else for (const one of asked) await decideFor(stream, [one])
    }
  }

  async function decideDurably(stream: string, commands: readonly Command[]): Promise<Together> {
    const epoch = parts.epochOf(stream)
    const mayDecide = (command: Command): boolean => epoch !== null || isFromPerson(command)
    if (!commands.some(mayDecide)) return allFailed(notHeld(stream))
    for (let attempt = 0; attempt < CONFLICT_LIMIT; attempt += 1) {
      const loaded = await load(stream)
      if (loaded.kind === 'failed') return allFailed(loaded.problem)
      const outcomes = decideAll(loaded.value, commands, { now: clock.now(), mayDecide, stream })
      const events = outcomes.flatMap((outcome) => (outcome.kind === 'ok' ? outcome.value.events : []))
      const appended: Result<KnownState> =
        events.length === 0 ? loaded : await append(stream, { ...loaded.value, epoch }, events)
      if (appended.kind === 'ok' || appended.problem.code !== 'STORE_CONFLICT')
        return togetherOf(outcomes, appended)
    }
    return allFailed(
      problem('STORE_CONFLICT', {
        message: `${stream} was changed by somebody else ${CONFLICT_LIMIT} times in a row.`,
        remedy: 'Try again.',
        retryable: true,
      }),
    )
  }

  async function append(
    stream: string,
    before: Before,
    events: readonly Event[],
  ): Promise<Result<KnownState>> {
    const { request, state } = requestFor(stream, before, { events, at: clock.now(), ...parts })
    const appended = await store.append(request)
    if (appended.kind === 'failed') {
      // Somebody else wrote, or this was written and its answer lost: what the store has is not known any more.
      forget(stream)
      if (appended.problem.code === 'STORE_FENCED') {
        parts.log.warn('write refused: another controller has the lease', {
          stream,
          problem: appended.problem,
        })
        parts.onFenced(stream)
      }
      return appended
    }
    const { revision } = appended.value
    const known = { state, revision, stateRevision: request.snapshot ? revision : before.stateRevision }
    keep(stream, known)
    parts.onDecided(stream, { state, revision, events })
    return ok(known)
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

type Before = KnownState & { epoch: number | null }
type Writing = { events: readonly Event[]; at: number; installation: string }

/** Everything one decision writes: events, the state after them, when somebody has to look, messages, records. */
function requestFor(
  stream: string,
  { state: before, revision, stateRevision, epoch }: Before,
  { events, at, installation }: Writing,
): { request: AppendRequest & { snapshot: boolean }; state: ServiceState } {
  const states = foldAll(before, events)
  const state = states.at(-1) ?? before
  const request = {
    stream,
    expectedRevision: revision,
    epoch,
    at,
    events: events.map((event) => ({ kind: event.kind, event })),
    schemaVersion: STATE_SCHEMA_VERSION,
    state,
    snapshot: !isSmall(events) || revision + events.length - stateRevision >= SNAPSHOT_EVERY,
    due: dueOf(state, at),
    messages: messagesFor({ stream, revision, installation }, events, states),
    documents: recordsFor({ stream, revision, before, events, states }),
  }
  return { request, state }
}

/** Evaluations without a consequence: all that was decided can be told from the numbers again. */
const isSmall = (events: readonly Event[]): boolean => events.every(({ kind }) => kind === 'metrics-observed')

/** The state after each event, so that what is said about an event fits its moment. */
function foldAll(before: ServiceState, events: readonly Event[]): ServiceState[] {
  const states: ServiceState[] = []
  for (const event of events) states.push(evolve(states.at(-1) ?? before, event))
  return states
}
