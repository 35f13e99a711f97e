import type { Result } from '../core/shared/result.ts'
import type { NotificationMessage } from './notifier.ts'

/**
 * The only durable memory of the controllers. A stream is one service in one environment; its state is kept beside its
 * events and both are written in one transaction, together with the messages to send and the next due time.
 *
 * Who acts on a stream holds its lease. Taking a lease raises the epoch of the stream by one; what was written or done
 * under an earlier epoch is refused from then on, here and where the effects happen. An embedded store has one
 * controller and its leases last as long as it is joined; a shared one has several and its leases run out by the clock
 * of the store, which is the only one that counts.
 *
 * Failures: `STORE_CONFLICT` (revision moved, retryable), `STORE_FENCED` (the lease went to somebody else),
 * `STORE_LOCKED` (an embedded store has an owner already), `STORE_FULL` (no space, retryable), `STORE_UNREACHABLE`
 * (no answer from the server, retryable), `STORE_CORRUPT`, `STORE_NEWER_FORMAT`.
 */
export interface Store {
  readonly kind: string
  /** Several controllers may join at the same time. */
  readonly shared: boolean
  /**
   * Joins as a controller: whoever has not joined may only read (`STORE_FENCED`). Embedded: `STORE_LOCKED` names the
   * owner, and the leases of the owner before, who is gone for certain, are free. Joining again frees the own leases.
   */
  join(controller: ControllerIdentity): Promise<Result<void>>
  /**
   * Takes the leases of up to `limit` streams that want somebody: `due` has come or messages wait, and the lease is free
   * or ran out. Longest due first. Controllers that claim at the same time get different streams.
   */
  claim(request: { now: number; leaseMs: number; limit: number }): Promise<Result<Lease[]>>
  /** Extends all leases that are still held by this controller, and answers with them. What ran out and was not taken yet is extended, too. */
  renew(request: { leaseMs: number }): Promise<Result<Lease[]>>
  /** Gives leases back, so that others need not wait until they run out. Those that are not held are left alone. */
  release(streams: readonly string[]): Promise<Result<void>>
  /** Raises the epoch of a lease that is held to at least this: after a restore, parts outside remember higher ones. */
  raiseEpoch(request: { stream: string; atLeast: number }): Promise<Result<Lease>>
  /** Who holds which stream, for people. */
  leases(): Promise<Result<HeldLease[]>>
  /**
   * `known` is a revision whose state the caller remembers. While the stream is still at it, the answer may come without
   * the state (`undefined`), which makes looking whether something was decided meanwhile cheap.
   */
  load(stream: string, known?: number): Promise<Result<StoredStream | null>>
  append(request: AppendRequest): Promise<Result<{ revision: number }>>
  streams(): Promise<Result<string[]>>
  /** Events of a stream in order. */
  events(request: EventsRequest): Promise<Result<StoredEvent[]>>
  /** Immutable or replaced-as-a-whole records: releases, plans, rollout records. */
  putDocument(document: StoredDocument): Promise<Result<void>>
  getDocument(kind: string, id: string): Promise<Result<StoredDocument | null>>
  /** Newest first. */
  listDocuments(request: { kind: string; stream?: string; limit: number }): Promise<Result<StoredDocument[]>>
  /**
   * Messages not yet delivered whose `notBefore` has come or that have no reason to wait (`LONGEST_RETRY_MS`), of streams whose lease this controller holds, oldest first per
   * stream and channel. A message that waits holds back those after it in its stream and channel. Channels take turns, so
   * that none fills the whole answer.
   */
  pendingMessages(now: number, limit: number): Promise<Result<OutboxMessage[]>>
  settleMessage(settle: SettleMessage): Promise<Result<void>>
  /** Delivered and dead messages too, newest first, for people to look at. */
  listMessages(limit: number): Promise<Result<OutboxMessage[]>>
  /** Removes old events (up to and including `through`, and never one that the stored state lacks), messages settled before `settledBefore`, and documents. State, leases and pending messages stay. */
  prune(request: PruneRequest): Promise<Result<{ events: number; messages: number; documents: number }>>
  /** Everything there is, as rows of one moment, streams before what belongs to them. */
  dump(onRow: (row: StoreRow) => void | Promise<void>): Promise<Result<{ rows: number }>>
  /** Fills an empty store with the rows of a dump, all or nothing; `STORE_NOT_EMPTY` when it is not. Needs `join`. */
  fill(rows: AsyncIterable<StoreRow> | Iterable<StoreRow>): Promise<Result<{ rows: number }>>
  /**
   * A hint that a stream was changed or claimed by another controller; may come late, twice or never, so asking again
   * after a while is still needed. Answers with the function that ends it.
   */
  listen(onChange: (stream: string) => void): () => void
  close(): Promise<void>
}

/** `name` is what people see; `pid`, `host` and `startedAt` tell which process it is. */
export type ControllerIdentity = { name: string; pid: number; startedAt: number; host: string }
export type Lease = { stream: string; epoch: number }
/** `until` is `null` for a lease that lasts as long as its controller is joined. */
export type HeldLease = Lease & { controller: ControllerIdentity | null; until: number | null }

export type StoredStream = {
  stream: string
  revision: number
  schemaVersion: number
  state: unknown
  /** The revision that `state` is of, where the events after it are not in it; absent: `revision`. */
  stateRevision?: number
  due: number | null
}
export type StoredEvent = { stream: string; sequence: number; at: number; kind: string; event: unknown }
export type EventsRequest = {
  stream: string
  /** Sequence, exclusive. */
  after: number
  limit: number
  /** Kinds that are left out, and do not count towards the limit. */
  without?: readonly string[]
}
export type AppendRequest = {
  stream: string
  /** Revision the decision was based on; 0 for a new stream. Revision = sequence of the last event. */
  expectedRevision: number
  /**
   * The epoch of the lease under which this was decided; refused with `STORE_FENCED` when the stream has another holder or
   * a newer epoch. `null` for what anybody may write at any time, a command of a person: the revision alone protects it.
   */
  epoch: number | null
  at: number
  events: readonly { kind: string; event: unknown }[]
  schemaVersion: number
  /** After the events. */
  state: unknown
  /**
   * `false`: state and due time that are stored stay as they are, and whoever loads the stream folds the events since. A
   * state is many times as large as what one more event says. The first state of a stream is written all the same.
   */
  snapshot?: boolean
  due: number | null
  /** Written in the same transaction (transactional outbox). `key` is unique: a repeat is ignored. */
  messages: readonly { channel: string; key: string; message: NotificationMessage }[]
  /** Written in the same transaction. */
  documents: readonly StoredDocument[]
}
export type StoredDocument = { kind: string; id: string; stream: string; at: number; body: unknown }
/**
 * A message waits after an attempt that failed, and never longer than this. A time that lies farther ahead was written by
 * a clock that was wrong, and so was any in front of the first attempt: such a message may go now.
 */
export const LONGEST_RETRY_MS = 24 * 3_600_000
export type OutboxMessage = {
  channel: string
  key: string
  stream: string
  message: NotificationMessage
  state: 'pending' | 'delivered' | 'dead'
  attempts: number
  /** When the next attempt may be made; for a delivered message, when it was delivered. `prune` goes by it. */
  notBefore: number
  lastError: string | null
}
export type SettleMessage =
  | { key: string; channel: string; kind: 'delivered'; at: number }
  | { key: string; channel: string; kind: 'retry'; notBefore: number; error: string }
  | { key: string; channel: string; kind: 'dead'; error: string }
export type PruneRequest = {
  events: readonly { stream: string; through: number }[]
  settledBefore: number
  documents: readonly { kind: string; id: string }[]
}
/** One row of a dump, the same for every kind of store. */
export type StoreRow =
  | ({ row: 'stream'; epoch: number } & StoredStream)
  | ({ row: 'event' } & StoredEvent)
  | ({ row: 'document' } & StoredDocument)
  | ({ row: 'message' } & OutboxMessage)
