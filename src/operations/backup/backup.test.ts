import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { sqlitePlace } from '../../adapters/stores/sqlite/place.ts'
import { createSqliteStore } from '../../adapters/stores/sqlite/store.ts'
import { newServiceState, STATE_SCHEMA_VERSION } from '../../core/rollout/state.ts'
import type { Result } from '../../core/shared/result.ts'
import type { StoreRow } from '../../ports/store.ts'
import { encodeLine, NO_SUM } from './format.ts'
import { createStateKeeper, type StateKeeper } from './keeper.ts'
import { readBackup } from './read.ts'
import { EPOCH_JUMP } from './restore.ts'
import { KEPT_DAILIES, listShelf, namingBackup, newestBackup, removeOldDailies, shelfOf } from './shelf.ts'
import { writeBackup } from './write.ts'

const ADA = { name: 'ada', pid: 4711, host: 'here', startedAt: 1 }
const NOW = Date.UTC(2026, 10, 21, 16, 1, 2)
const STREAM = 'shop.local'
let folder = ''
let file = ''

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-backup-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  file = path.join(folder, 'copy.sluice')
})

const keeperOf = (stateFolder = folder): StateKeeper =>
  createStateKeeper({
    place: { kind: 'ok', value: sqlitePlace(path.join(stateFolder, 'state.db')) },
    stateFolder,
    sluice: '1.2.3',
    now: () => NOW,
    by: ADA,
  })

async function state(stream = STREAM): Promise<void> {
  const store = valueIn(await createSqliteStore({ file: path.join(folder, 'state.db') }))
  valueIn(await store.join(ADA))
  valueIn(
    await store.append({
      stream,
      expectedRevision: 0,
      epoch: null,
      at: NOW,
      events: [
        { kind: 'noted', event: { text: 'ü\u0000' } },
        { kind: 'noted', event: 2 },
      ],
      schemaVersion: STATE_SCHEMA_VERSION,
      state: newServiceState(stream),
      due: 5,
      messages: [],
      documents: [{ kind: 'plan', id: 'p1', stream, at: NOW, body: { x: [1, 2] } }],
    }),
  )
  valueIn(await store.claim({ now: NOW, leaseMs: 1, limit: 1 }))
  await store.close()
}

async function rowsIn(stateFolder = folder): Promise<StoreRow[]> {
  const rows: StoreRow[] = []
  valueIn(await sqlitePlace(path.join(stateFolder, 'state.db')).dump((row) => void rows.push(row)))
  return rows
}

describe('a backup', () => {
  it('holds everything, is private, and says what it is in its first line', async () => {
    await state()
    const written = valueIn(await keeperOf().backUp(file))
    expect(written).toMatchObject({ file, counts: { stream: 1, event: 2, document: 1, message: 0 } })
    expect(written.bytes).toBe(statSync(file).size)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8').split('\n')[0]).toMatch(
      /^[0-9a-f]{8} \{"file":"sluice-backup","format":1,"sluice":"1\.2\.3","writtenAt":"2026-11-21T16:01:02\.000Z","store":"sqlite"/,
    )
    const rows: StoreRow[] = []
    valueIn(await readBackup(file, (row) => void rows.push(row)))
    expect(rows).toEqual(await rowsIn())
  })

  it('gets a name with its time among the backups when none is given', async () => {
    await state()
    const { file: named } = valueIn(await keeperOf().backUp(null))
    expect(path.relative(folder, named)).toBe('backups/backup-20261121T160102Z.sluice')
    expect(newestBackup(folder)).toEqual({ file: named, at: NOW, isDaily: false })
  })

  it('replaces no file, and leaves nothing behind when it cannot be written', async () => {
    await state()
    writeFileSync(file, 'precious')
    expect(await keeperOf().backUp(file)).toMatchObject({ problem: { code: 'BACKUP_EXISTS' } })
    expect(readFileSync(file, 'utf8')).toBe('precious')
    const nowhere = path.join(file, 'below-a-file')
    expect(await keeperOf().backUp(nowhere)).toMatchObject({ problem: { code: 'BACKUP_NOT_WRITTEN' } })
    expect(readdirSync(folder).filter((name) => name.includes('.new'))).toEqual([])
  })

  it('says that there is nothing to copy, and makes no state', async () => {
    expect(await keeperOf().backUp(file)).toMatchObject({ problem: { code: 'STORE_EMPTY' } })
    expect(readdirSync(folder)).toEqual([])
  })

  it('is not written from a state that does not fit together', async () => {
    const row: StoreRow = { row: 'event', stream: 'lost', sequence: 1, at: 1, kind: 'x', event: 1 }
    const dump = async (onRow: (row: StoreRow) => unknown) => {
      await onRow(row)
      return { kind: 'ok' as const, value: { rows: 1 } }
    }
    const source = { dump, store: 'x', from: 'y', sluice: '1', now: () => NOW }
    await expect(writeBackup(source, file)).rejects.toThrow('BACKUP_SOURCE_DAMAGED')
    expect(existsSync(file)).toBe(false)
  })
})

describe('a restore', () => {
  it('brings everything back, with epochs above all that were known', async () => {
    await state()
    const before = await rowsIn()
    valueIn(await keeperOf().backUp(file))
    rmSync(path.join(folder, 'state.db'))
    rmSync(path.join(folder, 'owner.json'))
    const restored = valueIn(await keeperOf().restore({ file, overwrite: false }))
    expect(restored).toMatchObject({ counts: { stream: 1, event: 2 }, keptAs: null, missing: [] })
    expect(await rowsIn()).toEqual(
      before.map((row) => (row.row === 'stream' ? { ...row, epoch: 1 + EPOCH_JUMP } : row)),
    )
  })

  it('goes above the epochs of the state it replaces, which are higher than those of the backup', async () => {
    await state()
    valueIn(await keeperOf().backUp(file))
    for (let n = 0; n < 3; n += 1) {
      const store = valueIn(await createSqliteStore({ file: path.join(folder, 'state.db') }))
      valueIn(await store.join(ADA))
      valueIn(await store.claim({ now: NOW, leaseMs: 1, limit: 1 }))
      await store.close()
    }
    const { keptAs } = valueIn(await keeperOf().restore({ file, overwrite: true }))
    expect(keptAs).toBe(path.join(folder, 'replaced-20261121T160102Z'))
    expect(await rowsIn()).toMatchObject([{ row: 'stream', epoch: 4 + EPOCH_JUMP }, {}, {}, {}])
    expect(await rowsIn(keptAs ?? '')).toMatchObject([{ row: 'stream', epoch: 4 }, {}, {}, {}])
  })

  it.each<[string, string, (lines: string[]) => string]>([
    ['a flipped byte', 'BACKUP_DAMAGED', (lines) => lines.join('\n').replace('"noted"', '"nOted"')],
    ['a lost line', 'BACKUP_DAMAGED', (lines) => lines.toSpliced(2, 1).join('\n')],
    ['lines in another order', 'BACKUP_DAMAGED', ([a, b, c, d, ...rest]) => [a, b, d, c, ...rest].join('\n')],
    ['no end', 'BACKUP_TRUNCATED', (lines) => `${lines.slice(0, 4).join('\n')}\n`],
    ['half a line at its end', 'BACKUP_TRUNCATED', (lines) => lines.join('\n').slice(0, -5)],
    ['more after its end', 'BACKUP_DAMAGED', (lines) => `${lines.join('\n')}${lines[1]}\n`],
    ['nothing in it', 'BACKUP_NOT_ONE', () => ''],
    ['something else in it', 'BACKUP_NOT_ONE', () => 'CREATE TABLE users;\n'],
    ['something else without lines in it', 'BACKUP_NOT_ONE', () => '\u0000\u0001'],
  ])('refuses a file with %s, says where, and touches nothing', async (_, code, change) => {
    await state()
    valueIn(await keeperOf().backUp(file))
    writeFileSync(file, change(readFileSync(file, 'utf8').split('\n')))
    const before = await rowsIn()
    const refused = await keeperOf().restore({ file, overwrite: true })
    expect(refused).toMatchObject({ kind: 'failed', problem: { code } })
    if (refused.kind === 'failed' && code === 'BACKUP_DAMAGED')
      expect(refused.problem.message).toMatch(/at line \d \(byte \d+\)/)
    expect(await rowsIn()).toEqual(before)
    expect(readdirSync(folder).filter((name) => /replaced|restor/.test(name))).toEqual([])
  })

  it('refuses a newer format, and names the version that reads it', async () => {
    const header = {
      file: 'sluice-backup',
      format: 9,
      sluice: '4.5.6',
      writtenAt: '2026-11-21T00:00:00Z',
      store: 'x',
      from: 'y',
    }
    writeFileSync(file, encodeLine(header, NO_SUM).line)
    expect(await keeperOf().restore({ file, overwrite: true })).toMatchObject({
      problem: { code: 'BACKUP_NEWER_FORMAT', message: expect.stringContaining('Sluice 4.5.6') },
    })
  })

  it('refuses a state of a newer format', async () => {
    await state()
    const rows = (await rowsIn()).map((row) => (row.row === 'stream' ? { ...row, schemaVersion: 99 } : row))
    const dump = async (onRow: (row: StoreRow) => void | Promise<void>) => {
      for (const row of rows) await onRow(row)
      return { kind: 'ok' as const, value: { rows: rows.length } }
    }
    valueIn(await writeBackup({ dump, store: 'x', from: 'y', sluice: '9', now: () => NOW }, file))
    expect(await keeperOf().restore({ file, overwrite: true })).toMatchObject({
      problem: { code: 'STATE_NEWER_FORMAT' },
    })
  })

  it('refuses a file that is not there', async () => {
    expect(await keeperOf().restore({ file, overwrite: true })).toMatchObject({
      problem: { code: 'BACKUP_NOT_FOUND' },
    })
  })

  it('finds every single changed byte, and never throws', async () => {
    await state()
    valueIn(await keeperOf().backUp(file))
    const whole = readFileSync(file)
    const broken = path.join(folder, 'broken.sluice')
    const change = fc.record({ at: fc.nat(whole.length - 1), by: fc.integer({ min: 1, max: 255 }) })
    await fc.assert(
      fc.asyncProperty(change, async ({ at, by }) => {
        const bytes = Buffer.from(whole)
        bytes[at] = (bytes[at] ?? 0) ^ by
        writeFileSync(broken, bytes)
        expect((await readBackup(broken)).kind).toBe('failed')
      }),
      { numRuns: 150 },
    )
  })

  it('finds every cut, and takes no bytes at random for a backup', async () => {
    await state()
    valueIn(await keeperOf().backUp(file))
    const whole = readFileSync(file)
    const broken = path.join(folder, 'broken.sluice')
    const bytes = fc.oneof(
      fc.nat(whole.length - 1).map((end) => whole.subarray(0, end)),
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ maxLength: 300 }).map((text) => Buffer.from(text)),
      fc.jsonValue().map((value) => encodeLine(value, NO_SUM).line),
      // Right checksums around rows of any shape.
      fc.array(fc.jsonValue(), { maxLength: 4 }).map((values) => withHeader(whole, values)),
    )
    await fc.assert(
      fc.asyncProperty(bytes, async (content) => {
        writeFileSync(broken, content)
        expect((await readBackup(broken)).kind).toBe('failed')
      }),
      { numRuns: 150 },
    )
  })
})

describe('the shelf of backups', () => {
  it('keeps the newest dailies, and all that people made', () => {
    mkdirSync(shelfOf(folder))
    for (let index = 1; index <= KEPT_DAILIES + 3; index += 1) {
      const day = String(index).padStart(2, '0')
      writeFileSync(path.join(shelfOf(folder), `daily-202611${day}T000000Z.sluice`), '')
    }
    writeFileSync(path.join(shelfOf(folder), 'backup-20200101T000000Z.sluice'), '')
    writeFileSync(path.join(shelfOf(folder), 'notes.txt'), '')
    expect(removeOldDailies(folder).map((one) => path.basename(one))).toEqual([
      'daily-20261103T000000Z.sluice',
      'daily-20261102T000000Z.sluice',
      'daily-20261101T000000Z.sluice',
    ])
    expect(listShelf(folder)).toHaveLength(KEPT_DAILIES + 1)
    expect(newestBackup(folder)?.at).toBe(Date.UTC(2026, 10, 10))
    expect(existsSync(path.join(shelfOf(folder), 'notes.txt'))).toBe(true)
  })

  it('gives its newest file to a remedy that needs one', () => {
    const remedy = {
      code: 'X',
      message: '',
      retryable: false,
      remedy: 'Restore a copy: sluice restore FILE. Now.',
    }
    expect(namingBackup(remedy, folder)).toEqual(remedy)
    mkdirSync(shelfOf(folder))
    const newest = path.join(shelfOf(folder), 'daily-20261103T000000Z.sluice')
    writeFileSync(newest, '')
    expect(namingBackup(remedy, folder).remedy).toBe(`Restore a copy: sluice restore ${newest}. Now.`)
  })
})

function withHeader(whole: Buffer, values: readonly unknown[]): Buffer {
  const end = whole.indexOf('\n')
  let sum = Number.parseInt(whole.subarray(0, 8).toString(), 16)
  const lines = values.map((value) => {
    const encoded = encodeLine(value, sum)
    sum = encoded.sum
    return encoded.line
  })
  return Buffer.concat([whole.subarray(0, end + 1), ...lines])
}

function valueIn<T>(result: Result<T>): T {
  if (result.kind === 'ok') return result.value
  throw new Error(`${result.problem.code}: ${result.problem.message}`)
}
