import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type {
  AppendRequest,
  OutboxMessage,
  SettleMessage,
  Store,
  StoredDocument,
  StoredEvent,
  StoredStream,
} from '../../ports/store.ts'

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

type Memory = {
  epoch: number
  owner: { handle: object; pid: number; host: string; startedAt: number } | null
  streams: Map<string, { now: StoredStream; before: StoredStream | null }>
  events: Map<string, StoredEvent[]>
  documents: Map<string, StoredDocument>
  outbox: OutboxMessage[]
}

type Counters = {
  fail: number
  failWith: Problem
  conflict: number
  lose: number
  stale: number
  settle: number
}
type Handle = { memory: Memory; counters: Counters; identity: object; epoch: number }

/**
 * A store in memory that passes the same conformance kit as the real ones. `open` gives further handles on the same memory.
 *
 * @example const { open, faults } = createStoreFake(); const store = open(); faults.conflictAppends(1)
 */
export function createStoreFake(): { open(): Store; faults: StoreFaults } {
  const memory: Memory = {
    epoch: 0,
    owner: null,
    streams: new Map(),
    events: new Map(),
    documents: new Map(),
    outbox: [],
  }
  const counters: Counters = {
    fail: 0,
    failWith: broken('failed on command'),
    conflict: 0,
    lose: 0,
    stale: 0,
    settle: 0,
  }
  return { open: () => storeOver({ memory, counters, identity: {}, epoch: 0 }), faults: faultsOver(counters) }
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

function storeOver(handle: Handle): Store {
  const { memory } = handle
  return {
    kind: 'memory',
    acquire: async (owner) => acquire(handle, owner),
    load: async (stream) => ok(copy(load(handle, stream))),
    append: async (request) => owned(handle, () => append(handle, request)),
    streams: async () => ok([...memory.streams.keys()].sort()),
    due: async (now, limit) => ok(due(memory, now).slice(0, limit)),
    events: async ({ stream, after, limit }) =>
      ok(copy((memory.events.get(stream) ?? []).filter((event) => event.sequence > after).slice(0, limit))),
    putDocument: async (document) => owned(handle, () => ok(putDocument(memory, document))),
    getDocument: async (kind, id) => ok(copy(memory.documents.get(`${kind}\n${id}`) ?? null)),
    listDocuments: async (request) => ok(copy(listDocuments(memory, request))),
    pendingMessages: async (now, limit) => ok(copy(pending(memory, now).slice(0, limit))),
    settleMessage: async (outcome) => owned(handle, () => settle(handle, outcome)),
    listMessages: async (limit) => ok(copy(memory.outbox.toReversed().slice(0, limit))),
    close: async () => {
      if (memory.owner?.handle === handle.identity) memory.owner = null
    },
  }
}

function acquire(handle: Handle, owner: Parameters<Store['acquire']>[0]): Result<{ epoch: number }> {
  const { memory, identity } = handle
  const present = memory.owner
  if (present !== null && present.handle !== identity) {
    const message = `The state is owned by process ${present.pid} on ${present.host}, started at ${new Date(present.startedAt).toISOString()}.`
    return failed(problem('STORE_LOCKED', { message, remedy: `Stop process ${present.pid} first.` }))
  }
  memory.owner = { ...owner, handle: identity }
  memory.epoch += 1
  handle.epoch = memory.epoch
  return ok({ epoch: memory.epoch })
}

function owned<T>(handle: Handle, run: () => Result<T>): Result<T> {
  if (handle.memory.owner?.handle === handle.identity) return run()
  return failed(fenced(handle.epoch, handle.memory.epoch))
}

function load({ memory, counters }: Handle, stream: string): StoredStream | null {
  const kept = memory.streams.get(stream)
  if (kept === undefined) return null
  if (counters.stale === 0) return kept.now
  counters.stale -= 1
  return kept.before
}

function append({ memory, counters }: Handle, request: AppendRequest): Result<{ revision: number }> {
  if (counters.fail > 0) {
    counters.fail -= 1
    return failed(counters.failWith)
  }
  if (request.epoch !== memory.epoch) return failed(fenced(request.epoch, memory.epoch))
  const before = memory.streams.get(request.stream)?.now ?? null
  const found = before?.revision ?? 0
  if (counters.conflict > 0) {
    counters.conflict -= 1
    return failed(conflict(request, found + 1))
  }
  if (request.expectedRevision !== found) return failed(conflict(request, found))
  const revision = commit(memory, request, before)
  if (counters.lose === 0) return ok({ revision })
  counters.lose -= 1
  return failed(broken('the write was made, the answer was lost on command'))
}

function commit(memory: Memory, request: AppendRequest, before: StoredStream | null): number {
  const { stream, at, schemaVersion, due } = request
  const events = memory.events.get(stream) ?? []
  for (const { kind, event } of copy(request.events)) {
    events.push({ stream, sequence: events.length + 1, at, kind, event })
  }
  memory.events.set(stream, events)
  const now = { stream, revision: events.length, schemaVersion, state: copy(request.state), due }
  memory.streams.set(stream, { now, before })
  for (const message of copy(request.messages)) addMessage(memory, { ...message, stream, at })
  for (const document of request.documents) putDocument(memory, document)
  return now.revision
}

function addMessage(
  memory: Memory,
  { at, ...message }: AppendRequest['messages'][number] & { stream: string; at: number },
) {
  if (find(memory, message) !== undefined) return
  memory.outbox.push({ ...message, state: 'pending', attempts: 0, notBefore: at, lastError: null })
}

const find = (memory: Memory, { channel, key }: { channel: string; key: string }) =>
  memory.outbox.find((message) => message.channel === channel && message.key === key)

function due(memory: Memory, now: number): string[] {
  const waiting = [...memory.streams.values()].flatMap(({ now: { stream, due } }) =>
    due === null ? [] : [{ stream, due }],
  )
  const ready = waiting.filter(({ due }) => due <= now)
  return ready.sort((a, b) => a.due - b.due || (a.stream < b.stream ? -1 : 1)).map(({ stream }) => stream)
}

/** Replacing keeps the place in the order of insertion, as in the real store. */
function putDocument(memory: Memory, document: StoredDocument): void {
  memory.documents.set(`${document.kind}\n${document.id}`, copy(document))
}

function listDocuments(memory: Memory, { kind, stream, limit }: Parameters<Store['listDocuments']>[0]) {
  const matching = [...memory.documents.values()].filter(
    (document) => document.kind === kind && (stream === undefined || document.stream === stream),
  )
  return matching
    .reverse()
    .sort((a, b) => b.at - a.at)
    .slice(0, limit)
}

/** In order within stream and channel, and the channels take turns. */
function pending(memory: Memory, now: number): OutboxMessage[] {
  const blocked = new Set<string>()
  const turns = new Map<string, number>()
  const ready: { message: OutboxMessage; turn: number }[] = []
  for (const message of memory.outbox) {
    if (message.state !== 'pending') continue
    const lane = JSON.stringify([message.stream, message.channel])
    if (message.notBefore > now) blocked.add(lane)
    if (blocked.has(lane)) continue
    const turn = (turns.get(message.channel) ?? 0) + 1
    turns.set(message.channel, turn)
    ready.push({ message, turn })
  }
  return ready.sort((a, b) => a.turn - b.turn).map(({ message }) => message)
}

function settle({ memory, counters }: Handle, outcome: SettleMessage): Result<void> {
  if (counters.settle > 0) {
    counters.settle -= 1
    return failed(broken('settling failed on command'))
  }
  const message = find(memory, outcome)
  if (message === undefined) {
    return failed(
      problem('STORE_UNKNOWN_MESSAGE', { message: `No message ${outcome.key}.`, remedy: 'List the outbox.' }),
    )
  }
  if (message.state !== 'pending') return ok(undefined)
  message.attempts += 1
  if (outcome.kind !== 'delivered') message.lastError = outcome.error
  if (outcome.kind === 'retry') message.notBefore = outcome.notBefore
  else message.state = outcome.kind
  return ok(undefined)
}

/** What goes in and out is copied through JSON, like in a file: nobody shares an object with the store. */
function copy<T>(value: T): T {
  return value === undefined ? value : JSON.parse(JSON.stringify(value))
}

function broken(message: string): Problem {
  return problem('STORE_UNAVAILABLE', { message, remedy: 'Try again.', retryable: true })
}

function fenced(mine: number, newest: number): Problem {
  const message = `The state belongs to epoch ${newest}. A write with epoch ${mine} was refused. Call acquire first.`
  return problem('STORE_FENCED', {
    message,
    remedy: 'Stop this controller: it is not the owner of the state.',
  })
}

function conflict({ stream, expectedRevision }: AppendRequest, found: number): Problem {
  const message = `Stream ${stream} is at revision ${found}, expected was ${expectedRevision}.`
  return problem('STORE_CONFLICT', {
    message,
    remedy: 'Load the stream again and decide again.',
    retryable: true,
  })
}
