import { ok, type Result } from '../../../core/shared/result.ts'
import type { OutboxMessage, Store, StoredStream } from '../../../ports/store.ts'
import { writeDocument } from './append.ts'
import { dump, fill } from './copy.ts'
import { createAppendGroup } from './group.ts'
import { claim, heldBy, heldLeases, raiseEpoch, release } from './leases.ts'
import { openFile } from './open-file.ts'
import { asOwner, close, type Handle, join, write } from './owner.ts'
import { guarded } from './problems.ts'
import { prune } from './prune.ts'
import { readDocument, readEvent, readMessage, readStream, withHead } from './rows.ts'
import { settle } from './settle.ts'
import { type CommonStatements, prepareCommon } from './statements.ts'

/**
 * State in one SQLite file: WAL, synced at every commit, one owner. Reading needs no ownership; writing needs `join`.
 *
 * @example const opened = await createSqliteStore({ file: '.sluice/state.db' })
 */
export async function createSqliteStore({ file }: { file: string }): Promise<Result<Store>> {
  const opened = openFile(file)
  if (opened.kind === 'failed') return opened
  const db = opened.value
  return guarded(file, () =>
    ok(
      storeOver({
        file,
        db,
        common: prepareCommon(db),
        own: null,
        lock: null,
      }),
    ),
  )
}

function storeOver(handle: Handle): Store {
  const { file } = handle
  const appends = createAppendGroup(handle)
  const read = <T>(run: () => T): Result<T> => guarded(file, () => ok(run()))
  return {
    kind: 'sqlite',
    shared: false,
    join: async (controller) => guarded(file, () => join(handle, controller)),
    claim: async (request) => write(handle, (owner) => ok(claim(owner, request))),
    renew: async () => write(handle, (owner) => ok(heldBy(owner))),
    release: async (streams) => write(handle, (owner) => ok(release(owner, streams))),
    raiseEpoch: async (request) => write(handle, (owner) => raiseEpoch(owner, request)),
    leases: async () => read(() => heldLeases(handle)),
    load: async (stream) => read(() => load(handle.common, stream)),
    append: appends.add,
    streams: async () => read(() => handle.common.streamNames.all().map(({ stream }) => String(stream))),
    events: async ({ stream, after, limit, without = [] }) =>
      read(() => handle.common.events.all(stream, after, JSON.stringify(without), limit).map(readEvent)),
    putDocument: async (document) => write(handle, ({ sql }) => ok(writeDocument(sql, document))),
    getDocument: async (kind, id) => read(() => optional(handle.common.document.get(kind, id), readDocument)),
    listDocuments: async (request) => read(() => documentRows(handle.common, request).map(readDocument)),
    pendingMessages: async (now, limit) => read(() => pendingMessages(handle, { now, limit })),
    settleMessage: async (outcome) => write(handle, ({ sql }) => settle(sql, outcome)),
    listMessages: async (limit) => read(() => handle.common.newestMessages.all(limit).map(readMessage)),
    prune: async (request) => write(handle, ({ sql }) => ok(prune(sql, request))),
    dump: (onRow) => dump(handle, onRow),
    fill: (rows) => fill(handle, rows),
    // One controller: there is nobody else whose changes could be told.
    listen: () => () => undefined,
    close: async () => {
      appends.flush()
      close(handle)
    },
  }
}

function load(sql: CommonStatements, stream: string): StoredStream | null {
  const row = sql.stream.get(stream)
  return row === undefined ? null : withHead(readStream(row), sql.head?.get(stream))
}

function pendingMessages(handle: Handle, { now, limit }: { now: number; limit: number }): OutboxMessage[] {
  const owner = asOwner(handle)
  return owner === null
    ? []
    : owner.sql.pendingMessages.all({ session: owner.session, now, limit }).map(readMessage)
}

const optional = <T>(row: unknown, read: (row: unknown) => T): T | null =>
  row === undefined ? null : read(row)

function documentRows(sql: CommonStatements, { kind, stream, limit }: Parameters<Store['listDocuments']>[0]) {
  return stream === undefined
    ? sql.documents.all(kind, limit)
    : sql.documentsOfStream.all(kind, stream, limit)
}
