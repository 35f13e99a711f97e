import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Store, StoreRow } from '../../../ports/store.ts'
import { createSqliteStore } from './store.ts'

/** Written by the first release: epoch 7, one stream of 20 events, two messages (one delivered), one document. */
const FORMAT_1 = 'format-1.db.gz'
/** The same after it was brought up to format 2, with one more event and one more document, under epoch 8. */
const FORMAT_2 = 'format-2.db.gz'
const ADA = { name: 'ada', pid: process.pid, host: 'here', startedAt: 1 }
const ANY_TIME = Number.MAX_SAFE_INTEGER

let folder = ''
let file = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-format-'))
  file = join(folder, 'state.db')
  place(FORMAT_1)
})
afterEach(() => rmSync(folder, { recursive: true }))

it('keeps everything of a file of format 1, with its epoch for each stream', async () => {
  const before = await look()
  expect(count(before)).toEqual({ stream: 1, event: 20, document: 1, message: 2 })
  expect(before[0]).toMatchObject({ row: 'stream', stream: 'shop.local', epoch: 7 })
  const store = await opened()
  valueIn(await store.join(ADA))
  expect(formatOf()).toBe('3')
  const claimed = valueIn(await store.claim({ now: ANY_TIME, leaseMs: 1, limit: 9 }))
  expect(claimed).toEqual([{ stream: 'shop.local', epoch: 8 }])
  expect(valueIn(await store.pendingMessages(ANY_TIME, 9)).map(({ key }) => key)).toEqual(['k2'])
  const kept = valueIn(await store.load('shop.local'))
  const change = { at: 1, events: [{ kind: 'noted', event: 1 }], schemaVersion: 1, state: {}, due: null }
  const rest = { messages: [], documents: [], expectedRevision: kept?.revision ?? 0 }
  const old = await store.append({ stream: 'shop.local', epoch: 7, ...change, ...rest })
  expect(old).toMatchObject({ problem: { code: 'STORE_FENCED' } })
  valueIn(await store.append({ stream: 'shop.local', epoch: 8, ...change, ...rest }))
  await store.close()
  const [stream, ...others] = await look()
  expect(stream).toMatchObject({ epoch: 8, revision: 21, due: null })
  expect(others.filter((row) => row.row !== 'event' || row.sequence <= 20)).toEqual(before.slice(1))
})

it('does not bring a file up that is only looked at', async () => {
  const bytes = readFileSync(file)
  const store = await opened()
  expect(valueIn(await store.load('shop.local'))?.revision).toBe(20)
  expect(valueIn(await store.leases())).toEqual([
    { stream: 'shop.local', epoch: 7, controller: null, until: null },
  ])
  expect(valueIn(await store.pendingMessages(ANY_TIME, 9))).toEqual([])
  expect((await look()).length).toBe(24)
  await store.close()
  expect(formatOf()).toBe('1')
  const [before, after] = [bytes, readFileSync(file)].map((of) => of.subarray(100)) // After the header: WAL is noted there.
  expect(before?.equals(after ?? Buffer.alloc(0))).toBe(true)
})

it('brings a file up for its owner only', async () => {
  const owner = await opened()
  const reader = await opened()
  valueIn(await owner.join(ADA))
  expect(await reader.join({ ...ADA, name: 'bob' })).toMatchObject({ problem: { code: 'STORE_LOCKED' } })
  expect(valueIn(await reader.leases())).toMatchObject([{ stream: 'shop.local', epoch: 7 }])
  await reader.close()
  await owner.close()
})

it('leaves a file as it was when it cannot be brought up', async () => {
  const db = new DatabaseSync(file)
  db.exec('CREATE TABLE pruned (x INTEGER)') // Something is in the way after the first half.
  db.close()
  expect(await createSqliteStore({ file })).toMatchObject({ problem: { code: 'STORE_CORRUPT' } })
  expect(formatOf()).toBe('1')
})

it('notices damage in a file of format 1', async () => {
  const db = new DatabaseSync(file)
  db.exec('UPDATE lease SET epoch = 6')
  db.close()
  expect(await createSqliteStore({ file })).toMatchObject({ problem: { code: 'STORE_CORRUPT' } })
})

it('keeps everything of a file of format 2, and writes on in it', async () => {
  place(FORMAT_2)
  const before = await look()
  expect(count(before)).toEqual({ stream: 1, event: 21, document: 2, message: 2 })
  const store = await opened()
  valueIn(await store.join(ADA))
  expect(formatOf()).toBe('3')
  expect(valueIn(await store.claim({ now: ANY_TIME, leaseMs: 1, limit: 9 }))).toMatchObject([{ epoch: 9 }])
  const kept = valueIn(await store.load('shop.local'))
  const change = { at: 1, events: [{ kind: 'noted', event: 1 }], schemaVersion: 1, due: null }
  const rest = { messages: [], documents: [], expectedRevision: 21, state: kept?.state }
  valueIn(await store.append({ stream: 'shop.local', epoch: 9, ...change, ...rest }))
  await store.close()
  const [stream, ...others] = await look()
  expect(stream).toMatchObject({ epoch: 9, revision: 22, state: kept?.state })
  expect(others.filter((row) => row.row !== 'event' || row.sequence <= 21)).toEqual(before.slice(1))
})

it.each([
  ['streams', 'revision = revision + 0, state = replace(state, "shop", "shup")'],
  ['events', 'event = replace(event, "word", "ward")'],
  ['documents', `body = replace(body, 'ü', 'u')`],
  ['outbox', 'attempts = attempts + 1'],
])('notices a changed value in the %s of a file of format 2', async (table, change) => {
  place(FORMAT_2)
  const db = new DatabaseSync(file)
  expect(db.prepare(`UPDATE ${table} SET ${change.replaceAll('"', "'")}`).run().changes).toBeGreaterThan(0)
  db.close()
  expect(await createSqliteStore({ file })).toMatchObject({ problem: { code: 'STORE_CORRUPT' } })
})

const place = (fixture: string): void =>
  writeFileSync(file, gunzipSync(readFileSync(join(import.meta.dirname, 'fixtures', fixture))))

async function opened(): Promise<Store> {
  return valueIn(await createSqliteStore({ file }))
}

async function look(): Promise<StoreRow[]> {
  const store = await opened()
  const rows: StoreRow[] = []
  valueIn(
    await store.dump((row) => {
      rows.push(row)
    }),
  )
  await store.close()
  return rows
}

function count(rows: StoreRow[]) {
  const of = { stream: 0, event: 0, document: 0, message: 0 }
  for (const { row } of rows) of[row] += 1
  return of
}

function formatOf(): unknown {
  const db = new DatabaseSync(file)
  const row = db.prepare("SELECT value FROM meta WHERE name = 'format'").get()
  db.close()
  return row?.value
}

function valueIn<T>(result: { kind: 'ok'; value: T } | { kind: 'failed'; problem: { message: string } }): T {
  if (result.kind === 'ok') return result.value
  throw new Error(result.problem.message)
}
