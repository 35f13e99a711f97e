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
import { encode, shaped } from './rows.ts'

/** PostgreSQL takes 65,535 values in one statement; a row has at most 8. */
const MOST_ROWS = 1000
const Revision = z.object({ revision: z.int() })
const Moved = z.object({ stream: z.string() })

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
  if (found === null)
    await beginStream(ask, schema, { stream, revision, schemaVersion, state, due, epoch: 0 })
  else if (request.snapshot === false) await moveOn(ask, schema, { stream, revision })
  else await writeState(ask, schema, { stream, revision, schemaVersion, state, due })
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
 * Usual appends, each to a known stream and with nothing to tell or to file, in one statement: its own transaction and one
 * way to the server and back for all of them. The leases are locked until it ends, as in the long way, and everything in
 * the order of names, so that two statements never wait for each other in a circle. A state that is NULL is one that stays
 * as it is. Answers whose was written; the long way
 * says why one was not. The streams must differ.
 */
export async function appendAtOnce(
  ask: Query,
  { schema, session }: { schema: string; session: string },
  requests: readonly AppendRequest[],
): Promise<boolean[]> {
  const told = requests.flatMap(({ stream, expectedRevision, events }) =>
    events.map((event, index) => ({ ...event, stream, sequence: expectedRevision + index + 1 })),
  )
  const rows = await ask(
    `WITH asked AS (SELECT * FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[], $9::bigint[])
        AS one (stream, epoch, expected, revision, schema_version, state, due, at)),
      mine AS (SELECT stream FROM ${schema}.leases JOIN asked USING (stream, epoch) WHERE session = $1
        ORDER BY stream FOR SHARE OF leases),
      found AS (SELECT asked.* FROM ${schema}.streams JOIN asked USING (stream)
        WHERE streams.revision = expected AND (epoch IS NULL OR EXISTS (SELECT FROM mine WHERE mine.stream = asked.stream))
        ORDER BY stream FOR UPDATE OF streams),
      moved AS (UPDATE ${schema}.streams s SET revision = found.revision,
        schema_version = coalesce(found.schema_version, s.schema_version), state = coalesce(found.state, s.state),
        state_revision = CASE WHEN found.state IS NULL THEN coalesce(s.state_revision, s.revision) END,
        due = CASE WHEN found.state IS NULL THEN s.due ELSE found.due END
        FROM found WHERE s.stream = found.stream RETURNING s.stream, found.at),
      told AS (INSERT INTO ${schema}.events (stream, sequence, at, kind, event)
        SELECT moved.stream, one.sequence, moved.at, one.kind, one.event
        FROM moved JOIN unnest($10::text[], $11::bigint[], $12::text[], $13::text[]) AS one (stream, sequence, kind, event) USING (stream))
    SELECT stream FROM moved`,
    [
      session,
      requests.map(({ stream }) => stream),
      requests.map(({ epoch }) => epoch),
      requests.map(({ expectedRevision }) => expectedRevision),
      requests.map(({ expectedRevision, events }) => expectedRevision + events.length),
      requests.map(({ schemaVersion, snapshot }) => (snapshot === false ? null : schemaVersion)),
      requests.map(({ state, snapshot }) => (snapshot === false ? null : encode(state))),
      requests.map(({ due }) => due),
      requests.map(({ at }) => at),
      told.map(({ stream }) => stream),
      told.map(({ sequence }) => sequence),
      told.map(({ kind }) => kind),
      told.map(({ event }) => encode(event)),
    ],
  )
  const written = new Set(rows.map((row) => shaped(Moved, row, 'streams').stream))
  return requests.map(({ stream }) => written.has(stream))
}

/** Nothing but the state and its events, of a stream that there is. */
export const isUsual = ({ expectedRevision, events, messages, documents }: AppendRequest): boolean =>
  expectedRevision > 0 && events.length <= MOST_ROWS && messages.length === 0 && documents.length === 0

/** Locked until the transaction ends. Two that begin the same stream meet at its key, and the second is refused there. */
async function revisionOf(ask: Query, schema: string, stream: string): Promise<number | null> {
  const [row] = await ask(`SELECT revision FROM ${schema}.streams WHERE stream = $1 FOR UPDATE`, [stream])
  return row === undefined ? null : shaped(Revision, row, 'streams').revision
}

async function writeState(ask: Query, schema: string, of: StoredStream): Promise<void> {
  await ask(
    `UPDATE ${schema}.streams SET revision = $2, schema_version = $3, state = $4, state_revision = NULL, due = $5
      WHERE stream = $1`,
    [of.stream, of.revision, of.schemaVersion, encode(of.state), of.due],
  )
}

/** The state stays behind: its text is kept apart from the row, and is not touched. */
async function moveOn(
  ask: Query,
  schema: string,
  { stream, revision }: { stream: string; revision: number },
): Promise<void> {
  await ask(
    `UPDATE ${schema}.streams SET revision = $2, state_revision = coalesce(state_revision, revision) WHERE stream = $1`,
    [stream, revision],
  )
}

export async function beginStream(
  ask: Query,
  schema: string,
  {
    stream,
    revision,
    schemaVersion,
    state,
    stateRevision = revision,
    due,
    epoch,
  }: StoredStream & { epoch: number },
): Promise<void> {
  await insert(ask, {
    into: `${schema}.streams`,
    columns: ['stream', 'revision', 'schema_version', 'state', 'state_revision', 'due'],
    rows: [
      [
        stream,
        revision,
        schemaVersion,
        encode(state),
        stateRevision === revision ? null : stateRevision,
        due,
      ],
    ],
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
