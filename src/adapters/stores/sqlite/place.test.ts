import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import type { Result } from '../../../core/shared/result.ts'
import type { StoreRow } from '../../../ports/store.ts'
import { storePlaceConformance } from '../../../testkit/conformance/store-place.ts'
import { pendingOf } from './pending.ts'
import { sqlitePlace } from './place.ts'
import { createSqliteStore } from './store.ts'

const ADA = { name: 'ada', pid: 1, host: 'here', startedAt: 1 }

storePlaceConformance('sqlite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-place-'))
  const file = join(folder, 'state.db')
  const open = async (path = file) => valueIn(await createSqliteStore({ file: path }))
  return {
    place: sqlitePlace(file),
    open,
    damage: async () => writeFileSync(file, readFileSync(file).fill(0x55, 4096, 6000)),
    kept: async (where) => {
      const store = await open(join(where, 'state.db'))
      const rows: StoreRow[] = []
      valueIn(await store.dump((row) => void rows.push(row)))
      await store.close()
      return rows
    },
    dispose: async () => rmSync(folder, { recursive: true, force: true }),
  }
})

let file = ''
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-place-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  file = join(folder, 'state.db')
})

it('makes files for their owner only, and leaves nothing of its work', async () => {
  valueIn(await replace('fresh', true))
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(dirname(file)).sort()).toEqual(['owner.lock', 'state.db'])
})

it('says that the newer version of Sluice is needed, and replaces its state only when told', async () => {
  valueIn(await replace('fresh', true))
  const { DatabaseSync } = await import('node:sqlite')
  const { sealMeta } = await import('./rows.ts')
  const db = new DatabaseSync(file)
  db.prepare("UPDATE meta SET value = '9', crc = ? WHERE name = 'format'").run(sealMeta('format', '9'))
  db.close()
  expect(await sqlitePlace(file).dump(() => undefined)).toMatchObject({
    problem: { code: 'STORE_NEWER_FORMAT', message: expect.stringContaining('format 9') },
  })
  expect(await replace('other', false)).toMatchObject({ problem: { code: 'STORE_NOT_EMPTY' } })
  valueIn(await replace('other', true))
  expect(await names()).toEqual(['other'])
})

/**
 * Every moment at which the power may go, one after the other: what is on the disk then is made again, and the next who
 * opens the file must see the old state or the new one, whole.
 */
it.each([
  ['before the new state is in force', 'old'],
  ['right after it is in force', 'new'],
  ['after the log of the old state is gone', 'new'],
  ['while the new state is still being built', 'old'],
])('is all or nothing when the power goes %s', async (moment, expected) => {
  valueIn(await replace('old', false))
  // The log of a controller that was killed: its last write stands there only.
  const store = valueIn(await createSqliteStore({ file }))
  valueIn(await store.join(ADA))
  valueIn(await store.append(write('logged')))
  const copies = new Map(['', '-wal'].map((tail) => [tail, readFileSync(`${file}${tail}`)]))
  await store.close()
  for (const [tail, bytes] of copies) writeFileSync(`${file}${tail}`, bytes)

  const aside = `${file}.aside`
  valueIn(await sqlitePlace(aside).replace(request('new', false)))
  if (expected === 'new') renameSync(aside, pendingOf(file))
  if (moment.includes('log')) rmSync(`${file}-wal`)
  if (moment.includes('built')) {
    const building = join(dirname(file), 'restoring')
    valueIn(await sqlitePlace(join(building, basename(file))).replace(request('half', false)))
  }

  const opened = valueIn(await createSqliteStore({ file }))
  const streams = valueIn(await opened.streams())
  await opened.close()
  expect(streams).toEqual(expected === 'new' ? ['new'] : ['logged', 'old'])
  expect(existsSync(pendingOf(file))).toBe(false)
})

const names = async (): Promise<string[]> => {
  const store = valueIn(await createSqliteStore({ file }))
  const streams = valueIn(await store.streams())
  await store.close()
  return streams
}

const request = (stream: string, overwrite: boolean) => ({
  rows: async function* (): AsyncGenerator<StoreRow> {
    yield { row: 'stream', stream, epoch: 1, revision: 0, schemaVersion: 2, state: {}, due: null }
  },
  overwrite,
  at: Date.now(),
  by: ADA,
})
const replace = (stream: string, overwrite: boolean) => sqlitePlace(file).replace(request(stream, overwrite))

const write = (stream: string) => ({
  stream,
  expectedRevision: 0,
  epoch: null,
  at: 1,
  events: [],
  schemaVersion: 2,
  state: {},
  due: null,
  messages: [],
  documents: [],
})

function valueIn<T>(result: Result<T>): T {
  if (result.kind === 'ok') return result.value
  throw new Error(`${result.problem.code}: ${result.problem.message}`)
}
