import * as z from 'zod'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { PruneRequest, Store, StoredEvent, StoreRow } from '../../../ports/store.ts'
import { dumping, fillFrom, notEmpty } from '../../../ports/store-rows.ts'
import { beginStream, writeDocument, writeEvents, writeMessages } from './append.ts'
import { inTransaction, LONG, type Query, SNAPSHOT } from './database.ts'
import { type Handle, writing } from './handle.ts'
import { Count, Epoch, readDocument, readEvent, readMessage, readStream, shaped } from './rows.ts'

const ROWS_AT_ONCE = 500
const Taken = z.object({ taken: z.boolean() })

/** What `dump` reads, in its order. */
const PARTS = (schema: string) =>
  [
    [
      `SELECT * FROM ${schema}.streams JOIN ${schema}.leases USING (stream) ORDER BY stream`,
      (row: unknown): StoreRow => ({ row: 'stream', ...shaped(Epoch, row, 'leases'), ...readStream(row) }),
    ],
    [
      `SELECT * FROM ${schema}.events ORDER BY stream, sequence`,
      (row: unknown): StoreRow => ({ row: 'event', ...readEvent(row) }),
    ],
    [
      `SELECT * FROM ${schema}.documents ORDER BY added`,
      (row: unknown): StoreRow => ({ row: 'document', ...readDocument(row) }),
    ],
    [
      `SELECT * FROM ${schema}.outbox ORDER BY id`,
      (row: unknown): StoreRow => ({ row: 'message', ...readMessage(row) }),
    ],
  ] as const

/** One snapshot for all rows, a few at a time, while others go on writing. */
export function dump(
  handle: Pick<Handle, 'database' | 'in'>,
  onRow: Parameters<Store['dump']>[0],
): Promise<Result<{ rows: number }>> {
  return dumping(() =>
    inTransaction(
      handle.database,
      async (ask) => {
        let count = 0
        for (const [text, read] of PARTS(handle.in)) {
          for await (const row of pagesOf(ask, text)) {
            await onRow(read(row))
            count += 1
          }
        }
        return ok({ rows: count })
      },
      SNAPSHOT,
    ),
  )
}

async function* pagesOf(ask: Query, text: string) {
  await ask(`DECLARE copied NO SCROLL CURSOR FOR ${text}`)
  for (;;) {
    const rows = await ask(`FETCH ${ROWS_AT_ONCE} FROM copied`)
    yield* rows
    if (rows.length < ROWS_AT_ONCE) break
  }
  await ask('CLOSE copied')
}

/** Others that want to write wait, or give up for now, so that the store is empty until all of it is there. */
export function fill(handle: Handle, rows: Parameters<Store['fill']>[0]): Promise<Result<{ rows: number }>> {
  const { database, in: schema } = handle
  return writing(handle, () =>
    inTransaction(
      database,
      async (ask) => {
        await ask(`LOCK TABLE ${schema}.streams, ${schema}.documents IN EXCLUSIVE MODE`)
        if (await isTaken(ask, schema)) return failed(notEmpty(database.address.name))
        return fillTables(ask, schema, rows)
      },
      LONG,
    ),
  )
}

export async function isTaken(ask: Query, schema: string): Promise<boolean> {
  const [row] = await ask(
    `SELECT EXISTS (SELECT FROM ${schema}.streams) OR EXISTS (SELECT FROM ${schema}.documents) AS taken`,
  )
  return shaped(Taken, row, 'streams').taken
}

/** Tables that are empty, within the transaction of the caller. */
export async function fillTables(
  ask: Query,
  schema: string,
  rows: Parameters<Store['fill']>[0],
): Promise<Result<{ rows: number }>> {
  const writer = rowWriter(ask, schema)
  const filled = await fillFrom(rows, writer.put)
  if (filled.kind === 'failed') return filled
  await writer.flush()
  return ok({ rows: filled.value.rows })
}

/** Events are most of the rows, so they go together. */
function rowWriter(ask: Query, schema: string) {
  let events: StoredEvent[] = []
  const flush = async () => {
    const ready = events
    events = []
    await writeEvents(ask, schema, ready)
  }
  const put = async (row: StoreRow) => {
    switch (row.row) {
      case 'stream':
        return beginStream(ask, schema, row)
      case 'event':
        events.push(row)
        return events.length < ROWS_AT_ONCE ? undefined : flush()
      case 'document':
        return writeDocument(ask, schema, row)
      case 'message':
        return writeMessages(ask, schema, [row])
    }
  }
  return { put, flush }
}

export function prune(handle: Handle, request: PruneRequest) {
  const { database, in: schema } = handle
  const { events, settledBefore, documents } = request
  const removed = async (ask: Query, text: string, values: readonly unknown[]) => {
    const [row] = await ask(`WITH gone AS (${text} RETURNING 1) SELECT count(*) AS count FROM gone`, values)
    return shaped(Count, row, 'pruned').count
  }
  return writing(handle, () =>
    inTransaction(
      database,
      async (ask) =>
        ok({
          events: await removed(
            ask,
            `DELETE FROM ${schema}.events e USING unnest($1::text[], $2::bigint[]) AS old (stream, through)
              JOIN ${schema}.streams s USING (stream)
              WHERE e.stream = old.stream AND e.sequence <= least(old.through, s.state_revision)`,
            [events.map(({ stream }) => stream), events.map(({ through }) => through)],
          ),
          messages: await removed(
            ask,
            `DELETE FROM ${schema}.outbox WHERE state <> 'pending' AND not_before < $1`,
            [settledBefore],
          ),
          documents: await removed(
            ask,
            `DELETE FROM ${schema}.documents d USING unnest($1::text[], $2::text[]) AS old (kind, id)
              WHERE d.kind = old.kind AND d.id = old.id`,
            [documents.map(({ kind }) => kind), documents.map(({ id }) => id)],
          ),
        }),
      LONG,
    ),
  )
}
