import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { storeConformance } from '../../../testkit/conformance/store.ts'
import { sealMeta } from './rows.ts'
import { createSqliteStore } from './store.ts'

const OWNER = { name: 'here', pid: process.pid, host: 'here', startedAt: 0 }

storeConformance(
  'sqlite',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-store-'))
    return {
      open: () => opened(join(folder, 'state.db')),
      dispose: async () => rmSync(folder, { recursive: true }),
    }
  },
  { shared: false },
)

describe('sqlite store file', () => {
  let folder = ''
  let file = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-store-'))
    file = join(folder, 'deep', 'state.db')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('refuses a file that is no database, names it, and changes nothing in it', async () => {
    await seeded(file)
    writeFileSync(file, 'these are not the bytes you are looking for '.repeat(200))
    const before = readFileSync(file)
    const problem = await refusal(file)
    expect(problem).toMatchObject({ code: 'STORE_CORRUPT', retryable: false })
    expect(problem.message).toContain(file)
    expect(problem.message).toContain('file is not a database')
    expect(problem.remedy).toContain('sluice restore FILE')
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  it.each([0, 100, 5000, 12_288])('refuses a file cut off after %i bytes', async (size) => {
    await seeded(file)
    truncateSync(file, size)
    expect(await refusal(file)).toMatchObject({ code: 'STORE_CORRUPT' })
  })

  it('refuses to start from nothing where there was state before', async () => {
    await seeded(file)
    rmSync(file)
    expect((await refusal(file)).message).toContain('owner.json')
    expect(existsSync(file)).toBe(false)
  })

  it('refuses a newer format and names both', async () => {
    await seeded(file)
    const db = new DatabaseSync(file)
    db.prepare("UPDATE meta SET value = ?, crc = ? WHERE name = 'format'").run('7', sealMeta('format', '7'))
    db.close()
    const problem = await refusal(file)
    expect(problem.code).toBe('STORE_NEWER_FORMAT')
    expect(problem.message).toMatch(/format 7.*up to 3/)
  })

  it("refuses somebody else's database", async () => {
    const other = join(folder, 'other.db')
    const db = new DatabaseSync(other)
    db.exec('CREATE TABLE customers (name TEXT)')
    db.close()
    expect((await refusal(other)).message).toContain('holds no Sluice state')
  })

  it.each([
    ['a changed value', "UPDATE streams SET state = replace(state, '4', '5')"],
    ['a lost event', 'DELETE FROM events WHERE sequence = 2'],
    ['a lost last event', 'DELETE FROM events WHERE sequence = 4'],
    ['an epoch set back', 'UPDATE leases SET epoch = 5'],
    ['a lost lease', 'DELETE FROM leases'],
    ['pruning that never was', 'DELETE FROM events WHERE sequence = 2; UPDATE pruned SET through = 2'],
    ['a pruning forgotten', 'DELETE FROM pruned'],
    ['a changed table', 'DROP INDEX outbox_pending'],
  ])('notices %s that SQLite itself takes for good', async (_, sql) => {
    await seeded(file)
    const db = new DatabaseSync(file)
    db.exec(sql)
    db.close()
    expect(await refusal(file)).toMatchObject({ code: 'STORE_CORRUPT' })
  })

  it('fences an owner whose lock file was taken away by hand (S116)', async () => {
    const first = await opened(file)
    await first.join(OWNER)
    await append(first, 0, null)
    expect(await first.claim({ now: 1, leaseMs: 1, limit: 9 })).toMatchObject({ value: [{ epoch: 1 }] })
    rmSync(join(folder, 'deep', 'owner.lock'))
    const second = await opened(file)
    expect(await second.join(OWNER)).toEqual({ kind: 'ok', value: undefined })
    for (const epoch of [1, null])
      expect(await append(first, 1, epoch)).toMatchObject({ problem: { code: 'STORE_FENCED' } })
    expect(await second.claim({ now: 1, leaseMs: 1, limit: 9 })).toMatchObject({ value: [{ epoch: 2 }] })
    expect(await append(second, 1, 2)).toMatchObject({ value: { revision: 2 } })
    await first.close()
    expect(await append(second, 2, 2)).toMatchObject({ value: { revision: 3 } })
    await second.close()
  })

  it('answers with a problem after it was closed', async () => {
    const store = await opened(file)
    await store.close()
    expect(await store.load('shop')).toMatchObject({ problem: { code: 'STORE_CLOSED' } })
    await store.close()
  })
})

async function opened(file: string) {
  const result = await createSqliteStore({ file })
  if (result.kind === 'ok') return result.value
  throw new Error(result.problem.message)
}

async function seeded(file: string): Promise<void> {
  const store = await opened(file)
  await store.join(OWNER)
  for (let revision = 0; revision < 4; revision += 1) await append(store, revision, null)
  const pruned = { events: [{ stream: 'shop', through: 1 }], settledBefore: 0, documents: [] }
  expect(await store.prune(pruned)).toMatchObject({ value: { events: 1 } })
  await store.close()
}

function append(store: Awaited<ReturnType<typeof opened>>, expectedRevision: number, epoch: number | null) {
  const state = { count: expectedRevision + 1, padding: 'x'.repeat(5000) }
  const events = [{ kind: 'counted', event: { count: state.count } }]
  const rest = { at: 1, schemaVersion: 1, due: 1, messages: [], documents: [] }
  return store.append({ stream: 'shop', expectedRevision, epoch, events, state, ...rest })
}

async function refusal(file: string) {
  const result = await createSqliteStore({ file })
  if (result.kind === 'failed') return result.problem
  await result.value.close()
  throw new Error('the file was accepted')
}
