import { DatabaseSync } from 'node:sqlite'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { Store, StoreRow } from '../../../ports/store.ts'
import { dumping, fillFrom, notEmpty } from '../../../ports/store-rows.ts'
import { addMessage, writeDocument, writeEvent, writeHead, writeLease, writeStream } from './append.ts'
import { allLeases } from './leases.ts'
import { connect } from './open-file.ts'
import { asOwner, type Handle } from './owner.ts'
import { guarded, notOwner, problemFrom } from './problems.ts'
import { writePruned } from './prune.ts'
import { encode, readDocument, readEvent, readMessage, readStream, withHead } from './rows.ts'
import { prepareCommon, prepareStatements, type Statements } from './statements.ts'

const READ_TIMEOUT_MS = 5000
const BELONGINGS = [
  ['events', 'stream, sequence', (row: unknown): StoreRow => ({ row: 'event', ...readEvent(row) })],
  ['documents', 'rowid', (row: unknown): StoreRow => ({ row: 'document', ...readDocument(row) })],
  ['outbox', 'id', (row: unknown): StoreRow => ({ row: 'message', ...readMessage(row) })],
] as const

/** Reads over a connection of its own, so that all rows are of one moment while the controller goes on writing. */
export async function dump(
  { file }: Pick<Handle, 'file'>,
  onRow: Parameters<Store['dump']>[0],
): Promise<Result<{ rows: number }>> {
  const opened = guarded(file, () => ok(new DatabaseSync(file, { readOnly: true, timeout: READ_TIMEOUT_MS })))
  if (opened.kind === 'failed') return opened
  const db = opened.value
  try {
    return await dumping(async () => {
      let count = 0
      db.exec('BEGIN')
      for (const row of rowsIn(db, file)) {
        if (row.kind === 'failed') return row
        await onRow(row.value)
        count += 1
      }
      return ok({ rows: count })
    })
  } finally {
    db.close()
  }
}

/** What goes wrong with the file ends the rows as a `Problem`; what the receiver throws does not come by here. */
function* rowsIn(db: DatabaseSync, file: string): Generator<Result<StoreRow>> {
  const rows = readRows(db)
  for (;;) {
    const next = guarded(file, () => ok(rows.next()))
    if (next.kind === 'failed') return yield next
    if (next.value.done === true) return
    yield ok(next.value.value)
  }
}

function* readRows(db: DatabaseSync): Generator<StoreRow, void> {
  const epochs = new Map(
    allLeases({ db, common: prepareCommon(db) }).map(({ stream, epoch }) => [stream, epoch]),
  )
  const { head } = prepareCommon(db)
  for (const row of db.prepare('SELECT * FROM streams ORDER BY stream').iterate()) {
    const kept = readStream(row)
    const stream = withHead(kept, head?.get(kept.stream))
    yield { row: 'stream', epoch: epochs.get(stream.stream) ?? 0, ...stream }
  }
  for (const [table, order, read] of BELONGINGS) {
    for (const row of db.prepare(`SELECT * FROM ${table} ORDER BY ${order}`).iterate()) yield read(row)
  }
}

/** Writes over a connection of its own: nobody sees any of it before all of it is there. */
export async function fill(
  handle: Handle,
  rows: Parameters<Store['fill']>[0],
): Promise<Result<{ rows: number }>> {
  const { file } = handle
  const opened = guarded(file, () => (asOwner(handle) === null ? failed(notOwner(file)) : ok(connect(file))))
  if (opened.kind === 'failed') return opened
  const db = opened.value
  try {
    db.exec('BEGIN IMMEDIATE')
    const filled = await fillOver(db, { file, rows })
    db.exec(filled.kind === 'ok' ? 'COMMIT' : 'ROLLBACK')
    return filled
  } catch (error) {
    return failed(problemFrom(file, error))
  } finally {
    db.close() // Takes back what was not committed.
  }
}

async function fillOver(
  db: DatabaseSync,
  { file, rows }: { file: string; rows: Parameters<Store['fill']>[0] },
): Promise<Result<{ rows: number }>> {
  if (isTaken(db)) return failed(notEmpty(file))
  const sql = prepareStatements(db)
  const filled = await fillFrom(rows, (row) => putRow(sql, row))
  if (filled.kind === 'failed') return filled
  for (const [stream, through] of filled.value.prunedThrough)
    if (through > 0) writePruned(sql, stream, through)
  return ok({ rows: filled.value.rows })
}

/** Of a file that was found sound. */
export function holdsSomething(file: string): boolean {
  const db = new DatabaseSync(file, { readOnly: true, timeout: READ_TIMEOUT_MS })
  try {
    return isTaken(db)
  } finally {
    db.close()
  }
}

const isTaken = (db: DatabaseSync): boolean =>
  db.prepare('SELECT EXISTS (SELECT 1 FROM streams) OR EXISTS (SELECT 1 FROM documents) AS taken').get()
    ?.taken === 1

function putRow(sql: Statements, row: StoreRow): void {
  switch (row.row) {
    case 'stream':
      writeStream(sql, { ...row, revision: row.stateRevision ?? row.revision, state: encode(row.state) })
      if (row.stateRevision !== undefined && row.stateRevision !== row.revision)
        writeHead(sql, row.stream, row.revision)
      writeLease(sql, { stream: row.stream, epoch: row.epoch, session: null })
      break
    case 'event':
      writeEvent(sql, { ...row, event: encode(row.event) })
      break
    case 'document':
      writeDocument(sql, row)
      break
    case 'message':
      addMessage(sql, { ...row, message: encode(row.message) })
      break
  }
}
