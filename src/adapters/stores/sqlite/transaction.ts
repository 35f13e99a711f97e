import type { DatabaseSync } from 'node:sqlite'
import type { Result } from '../../../core/shared/result.ts'

/** All or nothing: a failed result or a thrown error leaves the file as it was. `IMMEDIATE`: no upgrade can fail half-way. */
export function inTransaction<T>(db: DatabaseSync, run: () => Result<T>): Result<T> {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = run()
    db.exec(result.kind === 'ok' ? 'COMMIT' : 'ROLLBACK')
    return result
  } catch (error) {
    // On a full disk SQLite has often rolled back by itself already.
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
