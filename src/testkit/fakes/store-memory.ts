import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { Clock } from '../../ports/clock.ts'
import type {
  AppendRequest,
  ControllerIdentity,
  OutboxMessage,
  SettleMessage,
  Store,
  StoredDocument,
  StoredEvent,
  StoredStream,
} from '../../ports/store.ts'
import { LONGEST_RETRY_MS } from '../../ports/store.ts'
import { unknownMessage } from '../../ports/store-problems.ts'

/** One joining of one handle. Names may be equal, sessions never are. */
export type Session = { controller: ControllerIdentity }
/** `until` counts on the monotonic clock of the store; an embedded store ignores it. */
export type KeptLease = { epoch: number; session: Session | null; until: number }
export type Listeners = Set<{ tell: (stream: string) => void }>

export type Memory = {
  shared: boolean
  clock: Pick<Clock, 'now' | 'monotonic'>
  /** Of an embedded store. */
  owner: Session | null
  leases: Map<string, KeptLease>
  streams: Map<string, { now: StoredStream; before: StoredStream | null }>
  events: Map<string, StoredEvent[]>
  documents: Map<string, StoredDocument>
  outbox: OutboxMessage[]
  listeners: Set<Listeners>
  copy: <T>(value: T) => T
}

export function newMemory({ shared, clock, copy }: Pick<Memory, 'shared' | 'clock' | 'copy'>): Memory {
  return {
    shared,
    clock,
    owner: null,
    leases: new Map(),
    streams: new Map(),
    events: new Map(),
    documents: new Map(),
    outbox: [],
    listeners: new Set(),
    copy,
  }
}

/** What goes in and out is copied through JSON, like in a file: nobody shares an object with the store. */
export function copy<T>(value: T): T {
  return value === undefined ? value : JSON.parse(JSON.stringify(value))
}

/** Tells the other handles, after the call that changed something has answered. */
export function hint(memory: Memory, { stream, from }: { stream: string; from: Listeners }): void {
  for (const listeners of memory.listeners) {
    if (listeners === from) continue
    queueMicrotask(() => {
      for (const { tell } of listeners) tell(stream)
    })
  }
}

export function addMessage(
  memory: Memory,
  { at, ...message }: AppendRequest['messages'][number] & { stream: string; at: number },
): void {
  if (find(memory, message) !== undefined) return
  memory.outbox.push({ ...message, state: 'pending', attempts: 0, notBefore: at, lastError: null })
}

const find = (memory: Memory, { channel, key }: { channel: string; key: string }) =>
  memory.outbox.find((message) => message.channel === channel && message.key === key)

/** Replacing keeps the place in the order of insertion, as in the real stores. */
export function putDocument(memory: Memory, document: StoredDocument): void {
  memory.documents.set(`${document.kind}\n${document.id}`, memory.copy(document))
}

export function listDocuments(
  memory: Memory,
  { kind, stream, limit }: Parameters<Store['listDocuments']>[0],
): StoredDocument[] {
  const matching = [...memory.documents.values()].filter(
    (document) => document.kind === kind && (stream === undefined || document.stream === stream),
  )
  return matching
    .reverse()
    .sort((a, b) => b.at - a.at)
    .slice(0, limit)
}

const isWaiting = ({ attempts, notBefore }: OutboxMessage, now: number): boolean =>
  attempts > 0 && notBefore > now && notBefore <= now + LONGEST_RETRY_MS

/** In order within stream and channel, and the channels take turns. */
export function pending(
  memory: Memory,
  { now, mine }: { now: number; mine: (stream: string) => boolean },
): OutboxMessage[] {
  const blocked = new Set<string>()
  const turns = new Map<string, number>()
  const ready: { message: OutboxMessage; turn: number }[] = []
  for (const message of memory.outbox) {
    if (message.state !== 'pending' || !mine(message.stream)) continue
    const lane = JSON.stringify([message.stream, message.channel])
    if (isWaiting(message, now)) blocked.add(lane)
    if (blocked.has(lane)) continue
    const turn = (turns.get(message.channel) ?? 0) + 1
    turns.set(message.channel, turn)
    ready.push({ message, turn })
  }
  return ready.sort((a, b) => a.turn - b.turn).map(({ message }) => message)
}

/** `notBefore` of a delivered message is the time of its delivery. */
export function settleIn(memory: Memory, outcome: SettleMessage): Result<void> {
  const message = find(memory, outcome)
  if (message === undefined) return failed(unknownMessage(outcome.channel, outcome.key))
  if (message.state !== 'pending') return ok(undefined)
  message.attempts += 1
  if (outcome.kind !== 'delivered') message.lastError = outcome.error
  if (outcome.kind !== 'retry') message.state = outcome.kind
  if (outcome.kind === 'retry') message.notBefore = outcome.notBefore
  if (outcome.kind === 'delivered') message.notBefore = outcome.at
  return ok(undefined)
}
