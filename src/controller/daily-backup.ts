import { keepDaily } from '../operations/backup/daily.ts'
import { newestBackup } from '../operations/backup/shelf.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Store } from '../ports/store.ts'
import { VERSION } from '../telemetry/version.ts'
import type { Folder } from './folder.ts'

const LOOK_EVERY_MS = 3_600_000

type Parts = { store: Store; folder: Folder; clock: Clock; log: Log }

/** So that there is something to restore. A server has backups of its own, and several controllers. */
export async function keepBackups({ store, folder, clock, log }: Parts, signal: AbortSignal): Promise<void> {
  if (store.shared) return
  const source = { dump: store.dump, store: store.kind, from: folder.state, sluice: VERSION, now: clock.now }
  while (!signal.aborted) {
    const kept = await keepDaily(source, folder.root)
    if (kept.kind === 'failed') log.warn('the daily backup was not written', { problem: kept.problem })
    else if (kept.value !== null)
      log.info('a backup was written', { file: kept.value.file, bytes: kept.value.bytes })
    await clock.sleep(LOOK_EVERY_MS, signal)
  }
}

/** When the newest backup was made that is ours to make, or `null`. */
export const newestBackupAt = ({ shared }: Store, folder: Folder): number | null =>
  shared ? null : (newestBackup(folder.root)?.at ?? null)
