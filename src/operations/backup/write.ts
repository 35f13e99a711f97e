import { existsSync } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { ProblemError } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { Store, StoreRow } from '../../ports/store.ts'
import { createRowCheck } from '../../ports/store-rows.ts'
import { BACKUP_FORMAT, type BackupHeader, encodeLine, NO_SUM } from './format.ts'
import { alreadyThere, notWritten, sourceDamaged } from './problems.ts'

/** Lines go to the disk in pieces of this size; each write also lets others in the process go on. */
const PIECE_BYTES = 256 * 1024

export type BackupSource = {
  dump: Store['dump']
  /** Kind and name of the store, for people. */
  store: string
  from: string
  sluice: string
  now(): number
}

export type Written = { file: string; bytes: number; writtenAt: string; counts: RowCounts }
export type RowCounts = Record<StoreRow['row'], number>

export const noRows = (): RowCounts => ({ stream: 0, event: 0, document: 0, message: 0 })

/**
 * Writes everything the store holds into a new file: beside its place first, synced, then renamed, so that there is a whole
 * backup or none. The file is for its owner only (0600).
 */
export async function writeBackup(source: BackupSource, file: string): Promise<Result<Written>> {
  if (existsSync(file)) return failed(alreadyThere(file))
  const temporary = `${file}.${process.pid}.new`
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
    const written = await writeTo(source, { file, temporary })
    if (written.kind === 'failed') await rm(temporary, { force: true })
    return written
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    if (error instanceof Error && 'code' in error) return failed(notWritten(file, error.message))
    throw error
  }
}

async function writeTo(
  source: BackupSource,
  { file, temporary }: { file: string; temporary: string },
): Promise<Result<Written>> {
  const handle = await open(temporary, 'wx', 0o600)
  try {
    const written = await writeRows(source, handle, file)
    if (written.kind === 'failed') return written
    await handle.sync()
    await rename(temporary, file)
    await syncFolder(path.dirname(file))
    return written
  } finally {
    await handle.close()
  }
}

async function writeRows(source: BackupSource, handle: FileHandle, file: string): Promise<Result<Written>> {
  const { store, from, sluice } = source
  const writtenAt = new Date(source.now()).toISOString()
  const lines = createLines(handle)
  const check = createRowCheck()
  const counts = noRows()
  const header: BackupHeader = {
    file: 'sluice-backup',
    format: BACKUP_FORMAT,
    sluice,
    writtenAt,
    store,
    from,
  }
  await lines.put(header)
  const dumped = await source.dump(async (row) => {
    const taken = check.take(row)
    // The store is copied over its port, which gives the failure of a receiver back as it is.
    if (taken.kind === 'wrong') throw new ProblemError(sourceDamaged(from, taken.complaint))
    counts[row.row] += 1
    await lines.put(row)
  })
  if (dumped.kind === 'failed') return dumped
  const ended = check.end()
  if (ended.kind === 'wrong') return failed(sourceDamaged(from, ended.complaint))
  await lines.put({ end: 'sluice-backup', rows: dumped.value.rows })
  return ok({ file, bytes: await lines.flush(), writtenAt, counts })
}

function createLines(handle: FileHandle) {
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let bytes = 0
  let sum = NO_SUM
  async function flush(): Promise<number> {
    const piece = Buffer.concat(waiting)
    waiting = []
    waitingBytes = 0
    await handle.appendFile(piece)
    bytes += piece.length
    return bytes
  }
  return {
    flush,
    put: async (value: unknown): Promise<void> => {
      const encoded = encodeLine(value, sum)
      sum = encoded.sum
      waiting.push(encoded.line)
      waitingBytes += encoded.line.length
      if (waitingBytes >= PIECE_BYTES) await flush()
    },
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
