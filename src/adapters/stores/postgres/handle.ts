import { failed, type Result } from '../../../core/shared/result.ts'
import { type Database, query } from './database.ts'
import type { Hints } from './hints.ts'
import { closed, guarded, notJoined } from './problems.ts'

/**
 * `session` names one joining of this handle. Leases belong to sessions: two processes of the same name, or one that was
 * started again, are never taken for each other.
 */
export type Handle = {
  database: Database
  /** The schema in front of the tables. */
  in: string
  hints: Hints
  session: string | null
  controller: string
  closed: boolean
}

/** What every call has in common: nothing after `close`, and what `pg` throws becomes a `Problem`. */
export async function asking<T>(handle: Handle, run: () => Promise<Result<T>>): Promise<Result<T>> {
  if (handle.closed) return failed(closed(handle.database.address))
  return guarded(handle.database.address, run)
}

export const rowsOf = ({ database }: Handle, text: string, values: readonly unknown[] = []) =>
  query(database, text, values)

/** Only those who joined may write. */
export function writing<T>(handle: Handle, run: (session: string) => Promise<Result<T>>): Promise<Result<T>> {
  return asking(handle, async () =>
    handle.session === null ? failed(notJoined(handle.database.address)) : run(handle.session),
  )
}
