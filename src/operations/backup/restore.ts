import { existsSync } from 'node:fs'
import { Release } from '../../core/release/release.ts'
import type { ServiceState } from '../../core/rollout/state.ts'
import type { Problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { decodeStream } from '../../engine/decode.ts'
import { RELEASE_DOCUMENT } from '../../engine/effects.ts'
import { releasesInUse } from '../../engine/retention.ts'
import type { StoreRow } from '../../ports/store.ts'
import type { ReplaceRequest, StorePlace } from '../../ports/store-place.ts'
import type { BackupHeader } from './format.ts'
import { readBackup, rowsOf } from './read.ts'
import type { RowCounts } from './write.ts'

/**
 * Added to every epoch. Since the backup other controllers may have acted under epochs that nobody knows any more when the
 * state was lost; proxy and agent remember them. No installation takes a lease this often between two backups, and whole
 * numbers last for billions of restores.
 */
export const EPOCH_JUMP = 1_000_000

export type RestoreRequest = Pick<ReplaceRequest, 'overwrite' | 'at' | 'by'> & { file: string }
export type Restored = {
  file: string
  header: BackupHeader
  counts: RowCounts
  keptAs: string | null
  wasDamaged: boolean
  /** Versions whose copies are needed and are not in the folder any more. */
  missing: { version: string; folder: string }[]
}

/** Reads the whole backup first; only one that is sound from the first to the last line comes near the state. */
export async function restoreBackup(
  place: StorePlace,
  { file, ...request }: RestoreRequest,
): Promise<Result<Restored>> {
  const survey = createSurvey()
  const read = await readBackup(file, survey.look)
  if (read.kind === 'failed') return read
  const unreadable = survey.problem()
  if (unreadable !== null) return failed(unreadable)
  const rows = (epochs: ReadonlyMap<string, number>) => raised(rowsOf(file), epochs)
  const replaced = await place.replace({ ...request, rows })
  if (replaced.kind === 'failed') return replaced
  const { keptAs, wasDamaged } = replaced.value
  return ok({ file, ...read.value, keptAs, wasDamaged, missing: survey.missing() })
}

/** Above what the backup knows and above what the state it replaces knew. */
async function* raised(
  rows: AsyncIterable<StoreRow>,
  epochs: ReadonlyMap<string, number>,
): AsyncGenerator<StoreRow> {
  for await (const row of rows)
    yield row.row === 'stream'
      ? { ...row, epoch: Math.max(row.epoch, epochs.get(row.stream) ?? 0) + EPOCH_JUMP }
      : row
}

/** What this version makes of the states, and which releases they need. */
function createSurvey() {
  const states: ServiceState[] = []
  const releases: Release[] = []
  let unreadable: Problem | null = null
  return {
    look: (row: StoreRow): void => {
      if (row.row === 'stream') {
        const decoded = decodeStream(row.stream, row)
        if (decoded.kind === 'ok') states.push(decoded.value.state)
        else unreadable ??= decoded.problem
      }
      if (row.row === 'document' && row.kind === RELEASE_DOCUMENT) {
        const release = Release.safeParse(row.body)
        if (release.success) releases.push(release.data)
      }
    },
    problem: (): Problem | null => unreadable,
    missing: () => {
      const needed = new Set(states.flatMap(releasesInUse))
      return releases
        .filter(
          ({ id, artifact }) => needed.has(id) && artifact.folder !== '' && !existsSync(artifact.folder),
        )
        .map(({ version, artifact }) => ({ version, folder: artifact.folder }))
    },
  }
}
