import type { Result } from '../core/shared/result.ts'
import type { NotificationMessage } from './notifier.ts'

/**
 * The only durable memory of the controller. A stream is one service in one environment; its state is kept beside its
 * events and both are written in one transaction, together with the messages to send and the next due time.
 * Failures: `STORE_CONFLICT` (revision moved, retryable), `STORE_FENCED` (a newer owner exists), `STORE_FULL`
 * (no space, retryable), `STORE_CORRUPT`, `STORE_NEWER_FORMAT`.
 */
export interface Store {
  readonly kind: string
  /**
   * Becomes the owner and answers with the new epoch (previous + 1). `STORE_LOCKED` names the present owner.
   * Everybody may read; every write before this, or after a newer owner came, is refused with `STORE_FENCED`.
   */
  acquire(owner: { pid: number; startedAt: number; host: string }): Promise<Result<{ epoch: number }>>
  load(stream: string): Promise<Result<StoredStream | null>>
  append(request: AppendRequest): Promise<Result<{ revision: number }>>
  streams(): Promise<Result<string[]>>
  /** Streams whose `due` is at or before `now`, oldest first. */
  due(now: number, limit: number): Promise<Result<string[]>>
  /** Events of a stream in order, `after` exclusive. */
  events(request: { stream: string; after: number; limit: number }): Promise<Result<StoredEvent[]>>
  /** Immutable or replaced-as-a-whole records: releases, plans, rollout records. */
  putDocument(document: StoredDocument): Promise<Result<void>>
  getDocument(kind: string, id: string): Promise<Result<StoredDocument | null>>
  /** Newest first. */
  listDocuments(request: { kind: string; stream?: string; limit: number }): Promise<Result<StoredDocument[]>>
  /**
   * Messages not yet delivered whose `notBefore` has come, oldest first per stream and channel. A message that waits holds
   * back those after it in its stream and channel. Channels take turns, so that none fills the whole answer.
   */
  pendingMessages(now: number, limit: number): Promise<Result<OutboxMessage[]>>
  settleMessage(settle: SettleMessage): Promise<Result<void>>
  /** Delivered and dead messages too, newest first, for people to look at. */
  listMessages(limit: number): Promise<Result<OutboxMessage[]>>
  close(): Promise<void>
}

export type StoredStream = {
  stream: string
  revision: number
  schemaVersion: number
  state: unknown
  due: number | null
}
export type StoredEvent = { stream: string; sequence: number; at: number; kind: string; event: unknown }
export type AppendRequest = {
  stream: string
  /** Revision the decision was based on; 0 for a new stream. Revision = sequence of the last event. */
  expectedRevision: number
  epoch: number
  at: number
  events: readonly { kind: string; event: unknown }[]
  schemaVersion: number
  state: unknown
  due: number | null
  /** Written in the same transaction (transactional outbox). `key` is unique: a repeat is ignored. */
  messages: readonly { channel: string; key: string; message: NotificationMessage }[]
  /** Written in the same transaction. */
  documents: readonly StoredDocument[]
}
export type StoredDocument = { kind: string; id: string; stream: string; at: number; body: unknown }
export type OutboxMessage = {
  channel: string
  key: string
  stream: string
  message: NotificationMessage
  state: 'pending' | 'delivered' | 'dead'
  attempts: number
  notBefore: number
  lastError: string | null
}
export type SettleMessage =
  | { key: string; channel: string; kind: 'delivered'; at: number }
  | { key: string; channel: string; kind: 'retry'; notBefore: number; error: string }
  | { key: string; channel: string; kind: 'dead'; error: string }
