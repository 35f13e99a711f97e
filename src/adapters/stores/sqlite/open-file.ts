import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import { ownerFileOf } from './owner-lock.ts'
import { settlePending } from './pending.ts'
import { corrupt, guarded } from './problems.ts'
import { sealMeta } from './rows.ts'
import { FORMAT, SCHEMA } from './schema.ts'
import { inTransaction } from './transaction.ts'
import { hasTable, looksUnused, verifyFile } from './verify.ts'

/** How long a statement waits for another process's write. One owner writes, so this is only for starts that meet. */
const BUSY_TIMEOUT_MS = 2000
/** 1 MiB of pages: keeps the -wal file small, so that a full disk still leaves room to tidy up. */
const CHECKPOINT_AFTER_PAGES = 256

/** Opens the state file after checking it; makes it when there has never been one. A damaged file is not written to. */
export function openFile(file: string): Result<DatabaseSync> {
  return guarded(file, () => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const settled = settlePending(file)
    if (settled.kind === 'failed') return settled
    const wasOwned = existsSync(ownerFileOf(file))
    if (looksUnused(file)) return wasOwned ? failed(lost(file)) : initialise(file)
    // A journal without an owner is a first start that was killed: SQLite undoes it when the file is opened for writing.
    if (existsSync(`${file}-journal`) && !wasOwned) return initialise(file)
    const verified = verifyFile(file)
    if (verified.kind === 'failed') return wasOwned || !isBlank(file) ? verified : initialise(file)
    return ok(connect(file))
  })
}

const lost = (file: string) =>
  corrupt(
    file,
    `it is missing or empty, though ${ownerFileOf(file)} shows that it was in use (remove both to start from nothing)`,
  )

function initialise(file: string): Result<DatabaseSync> {
  const db = connect(file)
  const made = inTransaction(db, () => {
    if (hasTable(db, 'meta')) return ok(undefined)
    db.exec(SCHEMA)
    db.prepare('INSERT INTO meta (name, value, crc) VALUES (?, ?, ?)').run(
      'format',
      `${FORMAT}`,
      sealMeta('format', `${FORMAT}`),
    )
    return ok(undefined)
  })
  return made.kind === 'failed' ? made : ok(db)
}

/** A further connection to a file that is open already, for work that takes its time. */
export function connect(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
  try {
    db.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_AFTER_PAGES}`,
    )
    // SQLite opens a file read-only without a word when its header says so; a write that is taken back tells.
    db.exec('BEGIN IMMEDIATE; PRAGMA user_version = 0; ROLLBACK')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** A first start that was killed between making the file and its first transaction leaves a file without any table. */
function isBlank(file: string): boolean {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    return db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables === 0
  } catch {
    return false // Unreadable is not blank; what is wrong was already found by the check.
  } finally {
    db.close()
  }
}
