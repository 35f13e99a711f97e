import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { Clock } from '../../ports/clock.ts'
import type { AppendRequest, EventsRequest, Store, StoredEvent, StoredStream } from '../../ports/store.ts'
import { conflict } from '../../ports/store-problems.ts'
import { dumpRows, fillMemory, pruneMemory } from './store-copy.ts'
import { claim, close, fencedFor, type Handle, holds, join, leasesIn, renew } from './store-leases.ts'
import {
  addMessage,
  copy,
  hint,
  listDocuments,
  type Memory,
  newMemory,
  pending,
  putDocument,
  settleIn,
} from './store-memory.ts'

/** What a test can do to the fake. Counters run down by one at each use. */
export type StoreFaults = {
  /** The next appends fail with this problem and change nothing. */
  failAppends(times: number, reason?: Problem): void
  /** The next appends answer `STORE_CONFLICT`, as if somebody else had written first. */
  conflictAppends(times: number): void
  /** The next appends are written, and the answer is lost: the caller sees `STORE_UNAVAILABLE`. */
  loseAnswers(times: number): void
  /** The next loads answer with the stream as it was before its last append. */
  staleLoads(times: number): void
  /** The next settlements of messages fail: a crash between sending and noting it. */
  failSettlements(times: number): void
}

export type StoreFakeOptions = {
  /** Several handles may join, and leases run out. */
  shared?: boolean
  /** The clock of the store, by which leases run out. */
  clock?: Pick<Clock, 'now' | 'monotonic'>
  /** Hands out what it was given instead of a copy: faster, and only for callers that never change what they read or wrote. */
  trusting?: boolean
}

type Counters = {
  fail: number
  failWith: Problem
  conflict: number
  lose: number
  stale: number
  settle: number
}

const SYSTEM = { now: () => Date.now(), monotonic: () => performance.now() }

/**
 * A store in memory that passes the same conformance kit as the real ones. `open` gives further handles on the same memory.
 * A controller that dies is a shared handle that is simply not used any more; its leases run out by the clock.
 *
 * @example const { open, faults } = createStoreFake(); const store = open(); faults.conflictAppends(1)
 */
export function createStoreFake({
  shared = false,
  clock = SYSTEM,
  trusting = false,
}: StoreFakeOptions = {}): {
  open(): Store
  faults: StoreFaults
} {
  const memory = newMemory({ shared, clock, copy: trusting ? (value) => value : copy })
  const counters: Counters = {
    fail: 0,
    failWith: broken('failed on command'),
    conflict: 0,
    lose: 0,
    stale: 0,
    settle: 0,
  }
  return {
    open: () => storeOver({ memory, session: null, listeners: new Set() }, counters),
    faults: faultsOver(counters),
  }
}

function faultsOver(counters: Counters): StoreFaults {
  return {
    failAppends: (times, reason = broken('failed on command')) => {
      counters.fail = times
      counters.failWith = reason
    },
    conflictAppends: (times) => {
      counters.conflict = times
    },
    loseAnswers: (times) => {
      counters.lose = times
    },
    staleLoads: (times) => {
      counters.stale = times
    },
    failSettlements: (times) => {
      counters.settle = times
    },
  }
}

function storeOver(handle: Handle, counters: Counters): Store {
  const { memory } = handle
  return {
    kind: 'memory',
    shared: memory.shared,
    join: async (controller) => join(handle, controller),
    claim: async (request) => joined(handle, () => ok(claim(handle, request))),
    renew: async ({ leaseMs }) => joined(handle, () => ok(renew(handle, leaseMs))),
    release: async (streams) =>
      joined(handle, () => {
        for (const stream of streams) letGo(handle, stream)
        return ok(undefined)
      }),
    raiseEpoch: async ({ stream, atLeast }) => joined(handle, () => raiseEpoch(handle, stream, atLeast)),
    leases: async () => ok(leasesIn(memory)),
    load: async (stream) => ok(memory.copy(load(memory, counters, stream))),
    append: async (request) => joined(handle, () => append(handle, counters, request)),
    streams: async () => ok([...memory.streams.keys()].sort()),
    events: async (request) => ok(memory.copy(eventsOf(memory, request))),
    putDocument: async (document) => joined(handle, () => ok(putDocument(memory, document))),
    getDocument: async (kind, id) => ok(memory.copy(memory.documents.get(`${kind}\n${id}`) ?? null)),
    listDocuments: async (request) => ok(memory.copy(listDocuments(memory, request))),
    pendingMessages: async (now, limit) =>
      ok(copy(pending(memory, { now, mine: (stream) => holds(handle, stream) !== null })).slice(0, limit)),
    settleMessage: async (outcome) =>
      joined(handle, () => {
        if (counters.settle === 0) return settleIn(memory, outcome)
        counters.settle -= 1
        return failed(broken('settling failed on command'))
      }),
    listMessages: async (limit) => ok(copy(memory.outbox.toReversed().slice(0, limit))),
    prune: async (request) => joined(handle, () => ok(pruneMemory(memory, request))),
    dump: async (onRow) => dumpRows(memory, onRow),
    fill: async (rows) => (handle.session === null ? failed(notJoined()) : fillMemory(memory, rows)),
    listen: (onChange) => listen(handle, onChange),
    close: async () => close(handle),
  }
}

function joined<T>(handle: Handle, run: () => Result<T>): Result<T> {
  const { memory, session } = handle
  const mayWrite = session !== null && (memory.shared || memory.owner === session)
  return mayWrite ? run() : failed(notJoined())
}

function letGo(handle: Handle, stream: string): void {
  const lease = holds(handle, stream)
  if (lease === null) return
  lease.session = null
  hint(handle.memory, { stream, from: handle.listeners })
}

function raiseEpoch(handle: Handle, stream: string, atLeast: number) {
  const lease = holds(handle, stream)
  if (lease === null) return failed(fencedFor(handle, stream, null))
  lease.epoch = Math.max(lease.epoch, atLeast)
  return ok({ stream, epoch: lease.epoch })
}

function load(memory: Memory, counters: Counters, stream: string): StoredStream | null {
  const kept = memory.streams.get(stream)
  if (kept === undefined) return null
  if (counters.stale === 0) return kept.now
  counters.stale -= 1
  return kept.before
}

function append(handle: Handle, counters: Counters, request: AppendRequest): Result<{ revision: number }> {
  const { memory } = handle
  if (counters.fail > 0) {
    counters.fail -= 1
    return failed(counters.failWith)
  }
  const { stream, epoch } = request
  if (epoch !== null && holds(handle, stream)?.epoch !== epoch)
    return failed(fencedFor(handle, stream, epoch))
  const before = memory.streams.get(stream)?.now ?? null
  const found = before?.revision ?? 0
  if (counters.conflict > 0) {
    counters.conflict -= 1
    return failed(conflict(request.stream, { expected: request.expectedRevision, found: found + 1 }))
  }
  if (request.expectedRevision !== found)
    return failed(conflict(request.stream, { expected: request.expectedRevision, found }))
  const revision = commit(memory, request, before)
  hint(memory, { stream, from: handle.listeners })
  if (counters.lose === 0) return ok({ revision })
  counters.lose -= 1
  return failed(broken('the write was made, the answer was lost on command'))
}

function commit(memory: Memory, request: AppendRequest, before: StoredStream | null): number {
  const { stream, at, schemaVersion, due } = request
  const events = memory.events.get(stream) ?? []
  const revision = (before?.revision ?? 0) + request.events.length
  for (const [index, { kind, event }] of memory.copy(request.events).entries()) {
    events.push({ stream, sequence: (before?.revision ?? 0) + index + 1, at, kind, event })
  }
  memory.events.set(stream, events)
  const kept = request.snapshot === false ? before : null
  memory.streams.set(stream, {
    now:
      kept === null
        ? { stream, revision, schemaVersion, state: memory.copy(request.state), due }
        : { ...kept, revision, stateRevision: kept.stateRevision ?? kept.revision },
    before,
  })
  for (const message of memory.copy(request.messages)) addMessage(memory, { ...message, stream, at })
  for (const document of request.documents) putDocument(memory, document)
  return revision
}

/** An embedded store has nobody else whose changes could be told. */
function listen(handle: Handle, onChange: (stream: string) => void): () => void {
  const { memory, listeners } = handle
  if (!memory.shared) return () => undefined
  const listener = { tell: onChange }
  listeners.add(listener)
  memory.listeners.add(listeners)
  return () => {
    listeners.delete(listener)
  }
}

function broken(message: string): Problem {
  return problem('STORE_UNAVAILABLE', { message, remedy: 'Try again.', retryable: true })
}

const notJoined = (): Problem =>
  problem('STORE_FENCED', {
    message: 'This process is no controller of this state, so it may not write to it.',
    remedy: 'Join first. If it had joined, another process took over: stop this one.',
  })

const eventsOf = (memory: Memory, { stream, after, limit, without = [] }: EventsRequest): StoredEvent[] =>
  (memory.events.get(stream) ?? [])
    .filter(({ sequence, kind }) => sequence > after && !without.includes(kind))
    .slice(0, limit)
