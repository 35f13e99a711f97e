import type { ServiceState } from '../core/rollout/state.ts'
import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import type { Store } from '../ports/store.ts'
import { decodeStream } from './decode.ts'

export type KnownState = { state: ServiceState; revision: number }

/**
 * The state of each stream as it was read or written last. A shared store is asked for the revision at every load: only a
 * row that has the known one need not be read and decoded again. To an embedded store nobody else writes.
 */
export type States = {
  load(stream: string): Promise<Result<KnownState>>
  /** This is what was written. */
  keep(stream: string, known: KnownState): void
  /** What was known turned out to be old. */
  forget(stream: string): void
}

export function createStates(store: Pick<Store, 'load' | 'shared'>): States {
  const latest = new Map<string, KnownState>()
  return {
    load: async (stream) => {
      const known = latest.get(stream)
      if (known !== undefined && !store.shared) return ok(known)
      const stored = await store.load(stream, known?.revision)
      if (stored.kind === 'failed') return stored
      if (known !== undefined && known.revision === stored.value?.revision) return ok(known)
      const decoded = decodeStream(stream, stored.value)
      if (decoded.kind === 'ok' && stored.value !== null) latest.set(stream, decoded.value)
      return decoded
    },
    keep: (stream, known) => void latest.set(stream, known),
    forget: (stream) => void latest.delete(stream),
  }
}
