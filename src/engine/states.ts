import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import type { Store, StoredStream } from '../ports/store.ts'
import { decodeStream, eventsMissing, type KnownState } from './decode.ts'

/** Events that are missing when they are read may have been pruned a moment ago, after a newer state was stored. */
const READ_AGAIN = 3

/**
 * The state of each stream as it was read or written last. A shared store is asked for the revision at every load: only a
 * row that has the known one need not be read and decoded again. To an embedded store nobody else writes, so it is asked only
 * after a write of which it is not known what became of it.
 */
export type States = {
  load(stream: string): Promise<Result<KnownState>>
  /** This is what was written. */
  keep(stream: string, known: KnownState): void
  /** What was known may be old. */
  forget(stream: string): void
}

type ReadStore = Pick<Store, 'load' | 'events' | 'shared'>

export function createStates(store: ReadStore): States {
  const latest = new Map<string, KnownState>()
  return {
    load: async (stream) => {
      const known = latest.get(stream)
      if (known !== undefined && !store.shared) return ok(known)
      const stored = await store.load(stream, known?.revision)
      if (stored.kind === 'failed') return stored
      if (known !== undefined && known.revision === stored.value?.revision) return ok(known)
      const decoded = await readWhole(store, stream, stored.value)
      if (decoded.kind === 'ok' && stored.value !== null) latest.set(stream, decoded.value)
      return decoded
    },
    keep: (stream, known) => void latest.set(stream, known),
    forget: (stream) => void latest.delete(stream),
  }
}

/** The stored state, and the events that are not in it yet. */
async function readWhole(
  store: ReadStore,
  stream: string,
  found: StoredStream | null,
): Promise<Result<KnownState>> {
  let stored = found
  for (let attempt = 1; ; attempt += 1) {
    const { revision = 0, stateRevision: after = revision } = stored ?? {}
    if (after === revision) return decodeStream(stream, stored)
    const events = await store.events({ stream, after, limit: revision - after })
    if (events.kind === 'failed') return events
    if (events.value.length === revision - after) return decodeStream(stream, stored, events.value)
    if (attempt === READ_AGAIN) return eventsMissing(stream, { after, revision })
    const again = await store.load(stream)
    if (again.kind === 'failed') return again
    stored = again.value
  }
}
