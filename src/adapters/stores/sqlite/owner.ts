import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { ControllerIdentity } from '../../../ports/store.ts'
import { migrate } from './migrate.ts'
import { type OwnerLock, takeOwnerLock } from './owner-lock.ts'
import { guarded, notOwner } from './problems.ts'
import { DamagedRowError, readMeta, sealMeta } from './rows.ts'
import { type CommonStatements, prepareStatements, type Statements } from './statements.ts'
import { inTransaction } from './transaction.ts'

/** `own` is there from the first join on: only then the file is of the newest format for certain. */
export type Handle = {
  file: string
  db: DatabaseSync
  common: CommonStatements
  own: { sql: Statements; session: string } | null
  lock: OwnerLock | null
}
export type Owner = { sql: Statements; session: string }

const KEY = 'owner'
const OwnerRow = z.object({
  session: z.string(),
  name: z.string(),
  pid: z.int(),
  host: z.string(),
  startedAt: z.number(),
})

/**
 * Takes the file, or refuses with the name of its owner. Each joining is a session of its own, and a lease counts only in
 * the session that took it: so a new session finds all leases free, and whatever is left of an older one is refused.
 */
export function join(handle: Handle, controller: ControllerIdentity): Result<void> {
  const { file, db } = handle
  if (handle.lock === null) {
    const locked = takeOwnerLock(file, controller)
    if (locked.kind === 'failed') return locked
    handle.lock = locked.value
  }
  const session = randomUUID()
  const { name, pid, host, startedAt } = controller
  const joined = inTransaction(db, () => {
    migrate(db)
    const value = JSON.stringify({ session, name, pid, host, startedAt })
    handle.common.putMeta.run(KEY, value, sealMeta(KEY, value))
    return ok(undefined)
  })
  if (joined.kind === 'failed') return joined
  const sql = handle.own?.sql ?? prepareStatements(db)
  handle.own = { session, sql }
  handle.common = sql
  return joined
}

/** The session that owns the file, as it is written there. `null`: nobody, or the one before gave it back. */
export function ownerOf(common: CommonStatements): z.infer<typeof OwnerRow> | null {
  const row = common.meta.get(KEY)
  if (row === undefined) return null
  const parsed = OwnerRow.safeParse(JSON.parse(readMeta(row)))
  if (parsed.success) return parsed.data
  throw new DamagedRowError('meta owner: it names no controller')
}

/** This handle, when it is the owner still. */
export function asOwner({ common, own, lock }: Handle): Owner | null {
  return own !== null && lock !== null && ownerOf(common)?.session === own.session ? own : null
}

/** One transaction, refused when this handle is not the owner or a newer owner exists. */
export function write<T>(handle: Handle, run: (owner: Owner) => Result<T>): Result<T> {
  return guarded(handle.file, () =>
    inTransaction(handle.db, () => {
      const owner = asOwner(handle)
      return owner === null ? failed(notOwner(handle.file)) : run(owner)
    }),
  )
}

/** Gives the file back. Whatever goes wrong with that, the lock is freed, and the next owner finds all leases free. */
export function close(handle: Handle): void {
  if (handle.db.isOpen) {
    write(handle, () => {
      handle.common.dropMeta.run(KEY)
      return ok(undefined)
    })
    handle.db.close()
  }
  handle.lock?.free()
  handle.lock = null
}
