import type { DatabaseSync } from 'node:sqlite'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { Store } from '../../../ports/store.ts'
import { append, writeDocument } from './append.ts'
import { openFile } from './open-file.ts'
import { type OwnerLock, type OwnerRecord, takeOwnerLock } from './owner-lock.ts'
import { fenced, guarded } from './problems.ts'
import { readDocument, readEpoch, readEvent, readMessage, readStream, sealLease } from './rows.ts'
import { settle } from './settle.ts'
import { prepareStatements, type Statements } from './statements.ts'
import { inTransaction } from './transaction.ts'

/**
 * State in one SQLite file: WAL, synced at every commit, one owner. Reading needs no ownership; writing needs `acquire`.
 *
 * @example const opened = await createSqliteStore({ file: '.sluice/state.db' })
 */
export async function createSqliteStore({ file }: { file: string }): Promise<Result<Store>> {
  const opened = openFile(file)
  if (opened.kind === 'failed') return opened
  const db = opened.value
  return guarded(file, () => ok(storeOver({ file, db, sql: prepareStatements(db), lock: null, epoch: 0 })))
}

type Handle = { file: string; db: DatabaseSync; sql: Statements; lock: OwnerLock | null; epoch: number }

function storeOver(handle: Handle): Store {
  const { file, sql } = handle
  const read = <T>(run: () => T): Result<T> => guarded(file, () => ok(run()))
  return {
    kind: 'sqlite',
    acquire: async (owner) => guarded(file, () => acquire(handle, owner)),
    load: async (stream) => read(() => optional(sql.stream.get(stream), readStream)),
    append: async (request) => write(handle, () => append(sql, { ...request, file })),
    streams: async () => read(() => sql.streamNames.all().map(nameOf)),
    due: async (now, limit) => read(() => sql.dueStreams.all(now, limit).map(nameOf)),
    events: async ({ stream, after, limit }) =>
      read(() => sql.events.all(stream, after, limit).map(readEvent)),
    putDocument: async (document) => write(handle, () => ok(writeDocument(sql, document))),
    getDocument: async (kind, id) => read(() => optional(sql.document.get(kind, id), readDocument)),
    listDocuments: async (request) => read(() => documentRows(sql, request).map(readDocument)),
    pendingMessages: async (now, limit) => read(() => sql.pendingMessages.all(now, limit).map(readMessage)),
    settleMessage: async (outcome) => write(handle, () => settle(sql, outcome)),
    listMessages: async (limit) => read(() => sql.newestMessages.all(limit).map(readMessage)),
    close: async () => close(handle),
  }
}

/** Taking ownership again from the same handle is allowed and fences what was written with the epoch before. */
function acquire(handle: Handle, owner: OwnerRecord): Result<{ epoch: number }> {
  if (handle.lock === null) {
    const locked = takeOwnerLock(handle.file, owner)
    if (locked.kind === 'failed') return locked
    handle.lock = locked.value
  }
  return inTransaction(handle.db, () => {
    const epoch = readEpoch(handle.sql.epoch.get()) + 1
    handle.sql.setEpoch.run(epoch, sealLease(epoch))
    handle.epoch = epoch
    return ok({ epoch })
  })
}

/** One transaction, refused when this handle is not the owner or a newer owner exists. */
function write<T>(handle: Handle, run: () => Result<T>): Result<T> {
  return guarded(handle.file, () =>
    inTransaction(handle.db, () => {
      const newest = readEpoch(handle.sql.epoch.get())
      if (handle.epoch !== newest || handle.lock === null) {
        return failed(fenced(handle.file, { mine: handle.epoch, newest }))
      }
      return run()
    }),
  )
}

function close(handle: Handle): void {
  if (handle.db.isOpen) handle.db.close()
  handle.lock?.free()
  handle.lock = null
}

const optional = <T>(row: unknown, read: (row: unknown) => T): T | null =>
  row === undefined ? null : read(row)

const nameOf = (row: Record<string, unknown>): string => String(row.stream)

function documentRows(sql: Statements, { kind, stream, limit }: Parameters<Store['listDocuments']>[0]) {
  return stream === undefined
    ? sql.documents.all(kind, limit)
    : sql.documentsOfStream.all(kind, stream, limit)
}
