import { Event } from '../core/rollout/event.ts'
import { evolve } from '../core/rollout/evolve.ts'
import { newServiceState, ServiceState, STATE_SCHEMA_VERSION } from '../core/rollout/state.ts'
import { upcastState } from '../core/rollout/upcast.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { StoredEvent, StoredStream } from '../ports/store.ts'

/** `stateRevision` is of the state that is stored, which may lack the last events. */
export type KnownState = { state: ServiceState; revision: number; stateRevision: number }

/**
 * A stored row back as a state, with the events since folded into it. What does not have the shape is refused by name, never
 * repaired by guessing.
 */
export function decodeStream(
  stream: string,
  stored: StoredStream | null,
  since: readonly StoredEvent[] = [],
): Result<KnownState> {
  const decoded = decodeState(stream, stored)
  if (decoded.kind === 'failed' || stored === null) return decoded
  const { revision, stateRevision = revision } = stored
  let { state } = decoded.value
  for (const one of since) {
    const event = decodeEvent(one)
    if (event.kind === 'failed') return event
    state = evolve(state, event.value)
  }
  return ok({ state, revision, stateRevision })
}

function decodeState(stream: string, stored: StoredStream | null): Result<KnownState> {
  if (stored === null) return ok({ state: newServiceState(stream), revision: 0, stateRevision: 0 })
  const { revision } = stored
  if (stored.schemaVersion > STATE_SCHEMA_VERSION) return failed(newer(stream, stored.schemaVersion))
  const known = typeof stored.state === 'object' && stored.state !== null ? READ.get(stored.state) : undefined
  if (known !== undefined) return ok({ state: known, revision, stateRevision: revision })
  const parsed = ServiceState.safeParse(upcastState(stored.schemaVersion, stored.state))
  if (!parsed.success)
    return failed(corrupt(`The state of ${stream} at revision ${stored.revision}`, parsed.error.message))
  if (typeof stored.state === 'object' && stored.state !== null) READ.set(stored.state, parsed.data)
  return ok({ state: parsed.data, revision, stateRevision: revision })
}

/**
 * What was read from the very same object before. Stores on disk make a new object for each load; one in memory, as in the
 * simulation, hands out the same one again, which nobody changes.
 */
const READ = new WeakMap<object, ServiceState>()

/** Events that were written as the very same object before. */
const READ_EVENTS = new WeakMap<object, Event>()

/** For a store in memory, which hands out the very objects that were written: they need not be read to be known. */
export function rememberWritten(state: ServiceState, events: readonly Event[]): void {
  READ.set(state, state)
  for (const event of events) READ_EVENTS.set(event, event)
}

export function decodeEvent(stored: StoredEvent): Result<Event> {
  const known =
    typeof stored.event === 'object' && stored.event !== null ? READ_EVENTS.get(stored.event) : undefined
  if (known !== undefined) return ok(known)
  const parsed = Event.safeParse(stored.event)
  return parsed.success
    ? ok(parsed.data)
    : failed(corrupt(`Event ${stored.sequence} of ${stored.stream}`, parsed.error.message))
}

/** The stored state is older than its stream, and what happened since is not there. */
export const eventsMissing = (stream: string, { after, revision }: { after: number; revision: number }) =>
  failed(
    corrupt(
      `The state of ${stream} at revision ${revision}`,
      `The stored state is of revision ${after}, and not all events after it are there.`,
    ),
  )

const corrupt = (what: string, cause: string) =>
  problem('STATE_CORRUPT', {
    message: `${what} cannot be read.`,
    cause,
    remedy:
      'Nothing was changed and traffic flows on. Stop the controllers and restore a copy: sluice restore FILE --replace. Please report this.',
  })

const newer = (stream: string, version: number) =>
  problem('STATE_NEWER_FORMAT', {
    message: `The state of ${stream} has format ${version}; this version of Sluice reads up to ${STATE_SCHEMA_VERSION}.`,
    remedy: 'Start the newer version of Sluice that wrote it. Nothing was changed.',
  })
