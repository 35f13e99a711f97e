import { hostname } from 'node:os'
import path from 'node:path'
import { postgresPlace } from '../adapters/stores/postgres/place.ts'
import { sqlitePlace } from '../adapters/stores/sqlite/place.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import { createStateKeeper, type StateKeeper } from '../operations/backup/keeper.ts'
import type { StorePlace } from '../ports/store-place.ts'
import { VERSION } from '../telemetry/version.ts'
import { elsewhere, isElsewhere } from './open-store.ts'

/** For the command line: the state that a controller of this folder would use. */
export function openStateKeeper(
  stateFolder: string,
  { SLUICE_DATABASE_URL: url }: Readonly<Record<string, string | undefined>>,
): StateKeeper {
  const host = hostname()
  return createStateKeeper({
    place: url === undefined ? embedded(stateFolder) : postgresPlace({ url }),
    stateFolder,
    sluice: VERSION,
    now: Date.now,
    by: { name: `restore of ${host}/${process.pid}`, pid: process.pid, startedAt: Date.now(), host },
  })
}

const embedded = (root: string): Result<StorePlace> =>
  isElsewhere({ root }) ? failed(elsewhere({ root })) : ok(sqlitePlace(path.join(root, 'state.db')))
