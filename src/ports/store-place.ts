import type { Result } from '../core/shared/result.ts'
import type { ControllerIdentity, Store, StoreRow } from './store.ts'

/** Where the state stands, or would stand: also when nothing is there yet, or what is there is damaged and cannot be opened. */
export interface StorePlace {
  readonly kind: string
  /** What people see: the file, or the address without its password. */
  readonly name: string
  /** As the store does it, also while controllers work on it. `STORE_EMPTY` when there is nothing. */
  dump: Store['dump']
  /**
   * Puts rows in the place of whatever is there, all or nothing: when the power goes in the middle, the old state is still
   * in force. `STORE_LOCKED` names the controller that uses it, `STORE_NOT_EMPTY` says that `overwrite` was not asked for.
   */
  replace(request: ReplaceRequest): Promise<Result<Replaced>>
}

export type ReplaceRequest = {
  /** Called once; `epochs` are those of the state that is there, as far as they can be read. */
  rows(epochs: ReadonlyMap<string, number>): AsyncIterable<StoreRow>
  /** Also when the state that is there is sound and holds something. A damaged one gives way without this. */
  overwrite: boolean
  at: number
  by: ControllerIdentity
}

/** `keptAs`: where the state that was there is kept; `null` when there was none. */
export type Replaced = { rows: number; keptAs: string | null; wasDamaged: boolean }

/** 20261121T160102Z: sorts by time and fits into names of files and schemas. */
export const stampOf = (at: number): string => new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')
