import * as z from 'zod'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type {
  AppendRequest,
  OutboxMessage,
  StoredDocument,
  StoredEvent,
  StoredStream,
} from '../../../ports/store.ts'
import { conflict } from '../../../ports/store-problems.ts'
import { insert, type Query } from './database.ts'
import { checkLease } from './leases.ts'
import { Count, encode, shaped } from './rows.ts'

/** PostgreSQL takes 65,535 values in one statement; a row has at most 8. */
const MOST_ROWS = 1000
const Revision = z.object({ revision: z.int() })

/** Everything one decision writes. Runs inside a transaction. */
export async function append(
  ask: Query,
  { schema, session }: { schema: string; session: string },
  request: AppendRequest,
): Promise<Result<{ revision: number }>> {
  const { stream, epoch, at } = request
  if (epoch !== null) {
    const checked = await checkLease(ask, { schema, session, stream, epoch })
    if (checked.kind === 'failed') return checked
  }
  const found = await revisionOf(ask, schema, stream)
  if ((found ?? 0) !== request.expectedRevision)
    return failed(conflict(stream, { expected: request.expectedRevision, found: found ?? 0 }))
  const revision = request.expectedRevision + request.events.length
  const { schemaVersion, state, due } = request
  await writeStream(ask, schema, { stream, revision, schemaVersion, state, due, isNew: found === null })
  const events = request.events.map(({ kind, event }, index) => {
    const sequence = request.expectedRevision + index + 1
    return { stream, sequence, at, kind, event }
  })
  await writeEvents(ask, schema, events)
  const fresh = { stream, state: 'pending', attempts: 0, notBefore: at, lastError: null } as const
  const messages = request.messages.map((message) => ({ ...message, ...fresh }))
  await writeMessages(ask, schema, messages)
  for (const document of request.documents) await writeDocument(ask, schema, document)
  return ok({ revision })
}

/**
 * The usual append, a known stream and nothing to tell or to file, in one statement: its own transaction and one way to the
 * server and back. The lease is locked until it ends, as in the long way. Answers whether it was written; if not, the long
 * way says why.
 */
export async function appendAtOnce(
  ask: Query,
  { schema, session }: { schema: string; session: string },
  request: AppendRequest,
): Promise<boolean> {
  const { stream, epoch, expectedRevision, schemaVersion, state, due, at, events } = request
  const [row] = await ask(
    `WITH mine AS (SELECT 1 FROM ${schema}.leases WHERE stream = $1 AND session = $2 AND epoch = $3 FOR SHARE),
      moved AS (UPDATE ${schema}.streams SET revision = $4::bigint + $5, schema_version = $6, state = $7, due = $8
        WHERE stream = $1 AND revision = $4 AND ($3::bigint IS NULL OR EXISTS (SELECT FROM mine)) RETURNING stream),
      told AS (INSERT INTO ${schema}.events (stream, sequence, at, kind, event)
        SELECT moved.stream, $4::bigint + one.place, $9, one.kind, one.event
        FROM moved, unnest($10::text[], $11::text[]) WITH ORDINALITY AS one (kind, event, place))
    SELECT count(*) AS count FROM moved`,
    [
      stream,
      session,
      epoch,
      expectedRevision,
      events.length,
      schemaVersion,
      encode(state),
      due,
      at,
      events.map(({ kind }) => kind),
      events.map(({ event }) => encode(event)),
    ],
  )
  return shaped(Count, row, 'streams').count === 1
}

/** Nothing but the state and its events, of a stream that there is. */
export const isUsual = ({ expectedRevision, events, messages, documents }: AppendRequest): boolean =>
  expectedRevision > 0 && events.length <= MOST_ROWS && messages.length === 0 && documents.length === 0

/** Locked until the transaction ends. Two that begin the same stream meet at its key, and the second is refused there. */
async function revisionOf(ask: Query, schema: string, stream: string): Promise<number | null> {
  const [row] = await ask(`SELECT revision FROM ${schema}.streams WHERE stream = $1 FOR UPDATE`, [stream])
  return row === undefined ? null : shaped(Revision, row, 'streams').revision
}

async function writeStream(
  ask: Query,
  schema: string,
  { isNew, ...of }: StoredStream & { isNew: boolean },
): Promise<void> {
  if (isNew) return beginStream(ask, schema, { ...of, epoch: 0 })
  await ask(
    `UPDATE ${schema}.streams SET revision = $2, schema_version = $3, state = $4, due = $5 WHERE stream = $1`,
    [of.stream, of.revision, of.schemaVersion, encode(of.state), of.due],
  )
}

export async function beginStream(
  ask: Query,
  schema: string,
  { stream, revision, schemaVersion, state, due, epoch }: StoredStream & { epoch: number },
): Promise<void> {
  await insert(ask, {
    into: `${schema}.streams`,
    columns: ['stream', 'revision', 'schema_version', 'state', 'due'],
    rows: [[stream, revision, schemaVersion, encode(state), due]],
  })
  await insert(ask, { into: `${schema}.leases`, columns: ['stream', 'epoch'], rows: [[stream, epoch]] })
}

export async function writeEvents(ask: Query, schema: string, events: readonly StoredEvent[]): Promise<void> {
  const rows = events.map(({ stream, sequence, at, kind, event }) => [
    stream,
    sequence,
    at,
    kind,
    encode(event),
  ])
  const columns = ['stream', 'sequence', 'at', 'kind', 'event']
  for (const part of parts(rows)) await insert(ask, { into: `${schema}.events`, columns, rows: part })
}

export async function writeMessages(
  ask: Query,
  schema: string,
  messages: readonly OutboxMessage[],
): Promise<void> {
  const rows = messages.map(({ channel, key, stream, message, state, attempts, notBefore, lastError }) => [
    channel,
    key,
    stream,
    encode(message),
    state,
    attempts,
    notBefore,
    lastError,
  ])
  const columns = ['channel', 'key', 'stream', 'message', 'state', 'attempts', 'not_before', 'last_error']
  const orElse = 'ON CONFLICT (channel, key) DO NOTHING'
  for (const part of parts(rows)) await insert(ask, { into: `${schema}.outbox`, columns, rows: part, orElse })
}

/** Replacing keeps the place in the order of insertion. */
export async function writeDocument(ask: Query, schema: string, document: StoredDocument): Promise<void> {
  const { kind, id, stream, at, body } = document
  await insert(ask, {
    into: `${schema}.documents`,
    columns: ['kind', 'id', 'stream', 'at', 'body'],
    rows: [[kind, id, stream, at, encode(body)]],
    orElse:
      'ON CONFLICT (kind, id) DO UPDATE SET stream = excluded.stream, at = excluded.at, body = excluded.body',
  })
}

const parts = <T>(rows: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(rows.length / MOST_ROWS) }, (_, part) =>
    rows.slice(part * MOST_ROWS, (part + 1) * MOST_ROWS),
  )
