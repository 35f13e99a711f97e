import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import { type Problem, problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'

/** Written by older versions without a name. */
const OwnerRecord = z.object({
  name: z.string().optional(),
  pid: z.int(),
  host: z.string(),
  startedAt: z.number(),
})
type OwnerRecord = z.infer<typeof OwnerRecord>
export type OwnerLock = { free(): void }

const SQLITE_BUSY = 5

/** Keeps each lock reachable: a database that is garbage-collected is closed, and its lock would go with it. */
const held = new Set<DatabaseSync>()

export const ownerFileOf = (file: string): string => join(dirname(file), 'owner.json')
const lockFileOf = (file: string): string => join(dirname(file), 'owner.lock')

/**
 * One process owns a state folder. The lock is an exclusive transaction on a small SQLite file: the kernel frees it when the
 * process dies, however it dies, so it is never stale. `owner.json` only names the owner for people and decides nothing.
 *
 * The lock is a POSIX record lock: it goes away as soon as this process closes any other descriptor of `owner.lock`.
 * So nothing but this file may open `owner.lock`. Without a name (`null`) the one of the last owner stays.
 */
export function takeOwnerLock(file: string, owner: OwnerRecord | null): Result<OwnerLock> {
  const lock = new DatabaseSync(lockFileOf(file), { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    if (owner !== null) writeOwner(file, owner)
  } catch (error) {
    lock.close()
    if (!isBusy(error)) throw error
    return failed(locked(file, readOwner(file)))
  }
  held.add(lock)
  return ok({
    free: () => {
      held.delete(lock)
      lock.close()
    },
  })
}

const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  'errcode' in error &&
  typeof error.errcode === 'number' &&
  (error.errcode & 0xff) === SQLITE_BUSY

/** Written aside and renamed, so that a reader sees a whole record: the old one or the new one. */
function writeOwner(file: string, owner: OwnerRecord): void {
  const target = ownerFileOf(file)
  writeFileSync(`${target}.new`, `${JSON.stringify(owner)}\n`, { mode: 0o600, flush: true })
  renameSync(`${target}.new`, target)
}

function readOwner(file: string): OwnerRecord | null {
  try {
    return OwnerRecord.parse(JSON.parse(readFileSync(ownerFileOf(file), 'utf8')))
  } catch {
    return null // The lock is what counts; a missing or broken record only makes the message poorer.
  }
}

function locked(file: string, owner: OwnerRecord | null): Problem {
  const since = owner === null ? '' : new Date(owner.startedAt).toISOString()
  const who =
    owner === null ? 'another process' : `process ${owner.pid} on ${owner.host}, started at ${since}`
  return problem('STORE_LOCKED', {
    message: `The state in ${dirname(file)} is owned by ${who}.`,
    remedy: `Use the running controller, or stop ${owner === null ? 'the other process' : `process ${owner.pid}`} first. The lock is freed as soon as it ends.`,
  })
}
