import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { AppendRequest, StoredDocument } from '../../../ports/store.ts'
import { conflict, fenced } from './problems.ts'
import {
  encode,
  type OutboxFields,
  readEpoch,
  readStream,
  sealDocument,
  sealEvent,
  sealOutbox,
  sealStream,
} from './rows.ts'
import type { Statements } from './statements.ts'

/** Everything one decision writes. Runs inside a transaction. */
export function append(
  sql: Statements,
  { file, ...request }: AppendRequest & { file: string },
): Result<{ revision: number }> {
  const newest = readEpoch(sql.epoch.get())
  if (request.epoch !== newest) return failed(fenced(file, { mine: request.epoch, newest }))
  const found = revisionOf(sql, request.stream)
  if (found !== request.expectedRevision) {
    return failed(conflict(request.stream, { expected: request.expectedRevision, found }))
  }
  const revision = found + request.events.length
  writeState(sql, request, revision)
  for (const [index, { kind, event }] of request.events.entries()) {
    writeEvent(sql, {
      stream: request.stream,
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

function revisionOf(sql: Statements, stream: string): number {
  const row = sql.stream.get(stream)
  return row === undefined ? 0 : readStream(row).revision
}

function writeState(sql: Statements, request: AppendRequest, revision: number): void {
  const { stream, schemaVersion, due } = request
  const state = encode(request.state)
  sql.putStream.run(
    stream,
    revision,
    schemaVersion,
    state,
    due,
    sealStream({ stream, revision, schemaVersion, state, due }),
  )
}

function writeEvent(sql: Statements, fields: Parameters<typeof sealEvent>[0]): void {
  sql.addEvent.run(fields.stream, fields.sequence, fields.at, fields.kind, fields.event, sealEvent(fields))
}

function writeMessage(
  sql: Statements,
  { stream, at }: AppendRequest,
  message: AppendRequest['messages'][number],
): void {
  const { channel, key } = message
  const text = encode(message.message)
  const row: OutboxFields = {
    channel,
    key,
    stream,
    message: text,
    state: 'pending',
    attempts: 0,
    notBefore: at,
    lastError: null,
  }
  sql.addMessage.run(
    channel,
    key,
    stream,
    text,
    row.state,
    row.attempts,
    row.notBefore,
    null,
    sealOutbox(row),
  )
}

export function writeDocument(sql: Statements, document: StoredDocument): void {
  const { kind, id, stream, at } = document
  const body = encode(document.body)
  sql.putDocument.run(kind, id, stream, at, body, sealDocument({ kind, id, stream, at, body }))
}
