import path from 'node:path'
import { ok, type Result } from '../../core/shared/result.ts'
import type { ControllerIdentity } from '../../ports/store.ts'
import type { StorePlace } from '../../ports/store-place.ts'
import { type Restored, restoreBackup } from './restore.ts'
import { nameOf, shelfOf } from './shelf.ts'
import { type Written, writeBackup } from './write.ts'

export type KeeperParts = {
  /** Fails when the address of a server cannot be used. */
  place: Result<StorePlace>
  stateFolder: string
  sluice: string
  now(): number
  /** Who is named to others while a restore goes on. */
  by: ControllerIdentity
}

/** Copies of the state and the way back from them. Needs no controller. */
export interface StateKeeper {
  /** `null`: a name with the time in `.sluice/backups`. */
  backUp(file: string | null): Promise<Result<Written & { from: string }>>
  restore(request: { file: string; overwrite: boolean }): Promise<Result<Restored & { into: string }>>
}

export function createStateKeeper({ place, stateFolder, sluice, now, by }: KeeperParts): StateKeeper {
  return {
    backUp: async (file) => {
      if (place.kind === 'failed') return place
      const { kind: store, name: from, dump } = place.value
      const target = file ?? path.join(shelfOf(stateFolder), nameOf('backup', now()))
      const written = await writeBackup({ dump, store, from, sluice, now }, target)
      return written.kind === 'ok' ? ok({ ...written.value, from }) : written
    },
    restore: async (request) => {
      if (place.kind === 'failed') return place
      const restored = await restoreBackup(place.value, { ...request, at: now(), by })
      return restored.kind === 'ok' ? ok({ ...restored.value, into: place.value.name }) : restored
    },
  }
}
