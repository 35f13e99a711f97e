import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { AppendRequest, StoredDocument } from '../../../ports/store.ts'
import { conflict, fenced } from '../../../ports/store-problems.ts'
import {
  encode,
  type LeaseFields,
  type OutboxFields,
  readLease,
  readRevision,
  sealDocument,
  sealEvent,
  sealHead,
  sealLease,
  sealOutbox,
  sealStream,
} from './rows.ts'
import type { Statements } from './statements.ts'

/** Everything one decision writes. Runs inside a transaction. `session` is the owner, who is the only one to write. */
export function append(
  { sql, session }: { sql: Statements; session: string },
  request: AppendRequest,
): Result<{ revision: number }> {
  const { stream, epoch } = request
  const row = sql.lease.get(stream)
  const lease = row === undefined ? null : readLease(row)
  if (epoch !== null && (lease?.session !== session || lease.epoch !== epoch))
    return failed(fenced(stream, { mine: epoch, newest: lease?.epoch ?? null }))
  const kept = revisionOf(sql, stream)
  const found = kept ?? 0
  if (found !== request.expectedRevision) {
    return failed(conflict(stream, { expected: request.expectedRevision, found }))
  }
  const revision = found + request.events.length
  if (kept === null || request.snapshot !== false) writeState(sql, request, revision)
  else writeHead(sql, stream, revision)
  if (lease === null) writeLease(sql, { stream, epoch: 0, session: null })
  for (const [index, { kind, event }] of request.events.entries()) {
    writeEvent(sql, {
      stream,
      sequence: found + index + 1,
      at: request.at,
      kind,
      event: encode(event),
    })
  }
  for (const message of request.messages) writeMessage(sql, request, message)
  for (const document of request.documents) writeDocument(sql, document)
  return ok({ revision })
}

function revisionOf(sql: Statements, stream: string): number | null {
  const row = sql.revision.get(stream)
  return row === undefined ? null : readRevision(row)
}

function writeState(sql: Statements, request: AppendRequest, revision: number): void {
  const { stream, schemaVersion, due } = request
  writeStream(sql, { stream, revision, schemaVersion, state: encode(request.state), due })
  sql.dropHead.run(stream)
}

export function writeHead(sql: Statements, stream: string, revision: number): void {
  sql.putHead.run(stream, revision, sealHead(stream, revision))
}

export function writeStream(sql: Statements, fields: Parameters<typeof sealStream>[0]): void {
  const { stream, revision, schemaVersion, state, due } = fields
  sql.putStream.run(stream, revision, schemaVersion, state, due, sealStream(fields))
}

export function writeLease(sql: Statements, fields: LeaseFields): void {
  sql.putLease.run(fields.stream, fields.epoch, fields.session, sealLease(fields))
}

export function writeEvent(sql: Statements, fields: Parameters<typeof sealEvent>[0]): void {
  sql.addEvent.run(fields.stream, fields.sequence, fields.at, fields.kind, fields.event, sealEvent(fields))
}

function writeMessage(
  sql: Statements,
  { stream, at }: AppendRequest,
  { channel, key, message }: AppendRequest['messages'][number],
): void {
  const fresh = { state: 'pending', attempts: 0, notBefore: at, lastError: null } as const
  addMessage(sql, { channel, key, stream, message: encode(message), ...fresh })
}

export function addMessage(sql: Statements, row: OutboxFields): void {
  const { channel, key, stream, message, state, attempts, notBefore, lastError } = row
  sql.addMessage.run(channel, key, stream, message, state, attempts, notBefore, lastError, sealOutbox(row))
}

export function writeDocument(sql: Statements, document: StoredDocument): void {
  const { kind, id, stream, at } = document
  const body = encode(document.body)
  sql.putDocument.run(kind, id, stream, at, body, sealDocument({ kind, id, stream, at, body }))
}
