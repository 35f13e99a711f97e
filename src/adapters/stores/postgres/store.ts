import { ok, type Result } from '../../../core/shared/result.ts'
import type { AppendRequest, EventsRequest, Store, StoredDocument } from '../../../ports/store.ts'
import { addressOf } from './address.ts'
import { append, appendAtOnce, isUsual, writeDocument } from './append.ts'
import { createAppendGroup } from './append-group.ts'
import { dump, fill, prune } from './copy.ts'
import { alone, connect, type Database, inTransaction } from './database.ts'
import { asking, type Handle, rowsOf, writing } from './handle.ts'
import { createHints } from './hints.ts'
import { claim, free, join, leases, raiseEpoch, release, renew } from './leases.ts'
import { prepare } from './open.ts'
import { listMessages, pendingMessages, settle } from './outbox.ts'
import { guarded } from './problems.ts'
import { createReads } from './reads.ts'
import { readDocument, readEvent } from './rows.ts'

const DOCUMENT = 'kind, id, stream, at, body'

/**
 * State on a PostgreSQL server, for several controllers. Makes its tables in `schema` when they are not there.
 *
 * @example const opened = await createPostgresStore({ url: 'postgresql://sluice:secret@db:5432/sluice' })
 */
export async function createPostgresStore({
  url,
  schema = 'sluice',
}: {
  url: string
  schema?: string
}): Promise<Result<Store>> {
  const address = addressOf({ url, schema })
  if (address.kind === 'failed') return address
  const database = await connect(address.value)
  const prepared = await guarded(address.value, () => prepare(database))
  if (prepared.kind === 'ok') return ok(storeOver(handleOn(database)))
  await database.pool.end()
  return prepared
}

const handleOn = (database: Database): Handle => ({
  database,
  in: database.address.schema,
  hints: createHints(database),
  session: null,
  controller: '',
  closed: false,
})

function storeOver(handle: Handle): Store {
  const reads = createReads(handle.database)
  const appends = createAppends(handle)
  return {
    kind: 'postgres',
    shared: true,
    join: (controller) => asking(handle, () => join(handle, controller)),
    claim: (request) => writing(handle, (session) => claim(handle, session, request)),
    renew: ({ leaseMs }) => writing(handle, (session) => renew(handle, session, leaseMs)),
    release: (streams) => writing(handle, (session) => release(handle, session, streams)),
    raiseEpoch: (request) => writing(handle, (session) => raiseEpoch(handle, session, request)),
    leases: () => asking(handle, () => leases(handle)),
    load: (stream, known) => asking(handle, () => reads.load(stream, known)),
    append: (request) => writing(handle, (session) => appends(session, request)),
    streams: () => asking(handle, () => streams(handle)),
    events: (request) => asking(handle, () => events(handle, request)),
    putDocument: (document) => writing(handle, () => putDocument(handle, document)),
    getDocument: (kind, id) => asking(handle, () => reads.getDocument(kind, id)),
    listDocuments: (request) => asking(handle, () => listDocuments(handle, request)),
    pendingMessages: (now, limit) => asking(handle, () => pendingMessages(handle, { now, limit })),
    settleMessage: (outcome) => writing(handle, () => settle(handle, outcome)),
    listMessages: (limit) => asking(handle, () => listMessages(handle, limit)),
    prune: (request) => prune(handle, request),
    dump: (onRow) => asking(handle, () => dump(handle, onRow)),
    fill: (rows) => fill(handle, rows),
    listen: (onChange) => handle.hints.listen(onChange),
    close: () => close(handle),
  }
}

function createAppends(handle: Handle) {
  const { database, hints, in: schema } = handle
  const together = createAppendGroup((session, requests) =>
    alone(database, (ask) => appendAtOnce(ask, { schema, session }, requests)),
  )
  return async (session: string, request: AppendRequest): Promise<Result<{ revision: number }>> => {
    const { stream, expectedRevision, events } = request
    const written = isUsual(request) ? await together(session, request) : ok(false)
    if (written.kind === 'failed') return written
    const appended = written.value
      ? ok({ revision: expectedRevision + events.length })
      : await inTransaction(database, (ask) => append(ask, { schema, session }, request))
    if (appended.kind === 'ok') hints.tell([stream])
    return appended
  }
}

async function streams(handle: Handle): Promise<Result<string[]>> {
  const rows = await rowsOf(handle, `SELECT stream FROM ${handle.in}.streams ORDER BY stream`)
  return ok(rows.map(({ stream }) => String(stream)))
}

async function events(handle: Handle, { stream, after, limit, without = [] }: EventsRequest) {
  const text = `SELECT stream, sequence, at, kind, event FROM ${handle.in}.events
    WHERE stream = $1 AND sequence > $2 AND kind <> ALL ($3::text[]) ORDER BY sequence LIMIT $4`
  return ok((await rowsOf(handle, text, [stream, after, without, limit])).map(readEvent))
}

async function putDocument(handle: Handle, document: StoredDocument): Promise<Result<void>> {
  await writeDocument((text, values) => rowsOf(handle, text, values), handle.in, document)
  return ok(undefined)
}

async function listDocuments(
  handle: Handle,
  { kind, stream, limit }: Parameters<Store['listDocuments']>[0],
): Promise<Result<StoredDocument[]>> {
  const only = stream === undefined ? '' : 'AND stream = $3'
  const text = `SELECT ${DOCUMENT} FROM ${handle.in}.documents WHERE kind = $1 ${only} ORDER BY at DESC, added DESC LIMIT $2`
  const values = stream === undefined ? [kind, limit] : [kind, limit, stream]
  return ok((await rowsOf(handle, text, values)).map(readDocument))
}

/** Gives the leases back if the server answers; if it does not, they run out by themselves. */
async function close(handle: Handle): Promise<void> {
  if (handle.closed) return
  handle.closed = true
  const { session, database } = handle
  handle.session = null
  if (session !== null)
    await guarded(database.address, async () => {
      await free(handle, session)
      return ok(undefined)
    })
  await handle.hints.close()
  await Promise.all([database.pool.end(), database.leasePool.end()])
}
