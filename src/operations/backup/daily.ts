import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { Result } from '../../core/shared/result.ts'
import { ok } from '../../core/shared/result.ts'
import { listShelf, nameOf, removeOldDailies, shelfOf } from './shelf.ts'
import { type BackupSource, type Written, writeBackup } from './write.ts'

const HOUR_MS = 3_600_000
/** With an hourly look the newest backup is never older than a day. */
const WRITE_AFTER_MS = 23 * HOUR_MS
/** Older than this is worth a word: nobody wrote one, and restoring would lose more than a day. */
export const OLD_AFTER_MS = 24 * HOUR_MS

/** Writes a backup when the newest one is a day old, and removes the oldest of those it wrote. `null`: it is not time yet. */
export async function keepDaily(source: BackupSource, stateFolder: string): Promise<Result<Written | null>> {
  const now = source.now()
  // A file from the future tells of a clock that was wrong, not of a backup that is fresh.
  const newest = listShelf(stateFolder).find(({ at }) => at <= now)
  if (newest !== undefined && now - newest.at < WRITE_AFTER_MS) return ok(null)
  const written = await writeBackup(source, path.join(shelfOf(stateFolder), nameOf('daily', now)))
  if (written.kind === 'failed') return written
  if (written.value.counts.stream === 0) {
    await rm(written.value.file, { force: true })
    return ok(null)
  }
  removeOldDailies(stateFolder)
  return written
}
