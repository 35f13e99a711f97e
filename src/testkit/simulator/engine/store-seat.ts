import type { Result } from '../../../core/shared/result.ts'
import { ok } from '../../../core/shared/result.ts'
import type { Store, StoredStream } from '../../../ports/store.ts'
import type { Inbox } from './inbox.ts'
import type { Journal } from './journal.ts'
import type { Life } from './life.ts'

/** One life's place at the store, with somebody who writes down what the store really did. */
export type StoreSeat = {
  store: Store
  join: Store['join']
  claim: Store['claim']
  renew: Store['renew']
  raiseEpoch: Store['raiseEpoch']
  append: Store['append']
  settle: Store['settleMessage']
  /** The stream as it was before its last write. */
  staleLoad(stream: string): Result<StoredStream | null>
}

type SeatParts = { life: Life; store: Store; journal: Journal; inbox: Inbox; before: StaleReads }
/** Each stream as it was before its last write, and after it. */
export type StaleReads = Map<string, { before: StoredStream | null; now: StoredStream }>

export function createSeat({ life, store, journal, inbox, before }: SeatParts): StoreSeat {
  const until = (leaseMs: number): number =>
    store.shared ? life.clock.monotonic() + leaseMs : Number.POSITIVE_INFINITY
  return {
    store,
    join: store.join,
    claim: async (request) => {
      const claimed = await store.claim(request)
      if (claimed.kind === 'ok')
        for (const lease of claimed.value) journal.granted(life, lease, until(request.leaseMs))
      return claimed
    },
    renew: async (request) => {
      const renewed = await store.renew(request)
      if (renewed.kind === 'ok') journal.renewed(life, renewed.value, until(request.leaseMs))
      return renewed
    },
    raiseEpoch: async (request) => {
      const raised = await store.raiseEpoch(request)
      if (raised.kind === 'ok' && raised.value.epoch > journal.book(request.stream).epoch)
        journal.granted(life, raised.value, journal.leaseUntil(life, request.stream))
      return raised
    },
    append: async (request) => {
      const { stream, schemaVersion, state, due } = request
      const appended = await store.append(request)
      if (appended.kind === 'failed') return appended
      const { now = null } = before.get(stream) ?? {}
      before.set(stream, {
        before: now,
        now: { stream, revision: appended.value.revision, schemaVersion, state, due },
      })
      journal.appended(life, request, appended.value.revision)
      inbox.written(request)
      return appended
    },
    settle: async (request) => {
      const settled = await store.settleMessage(request)
      if (settled.kind === 'ok') inbox.settled(request)
      return settled
    },
    staleLoad: (stream) => ok(before.get(stream)?.before ?? null),
  }
}
