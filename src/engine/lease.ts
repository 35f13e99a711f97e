import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Lease, Store } from '../ports/store.ts'

/** A lease that is not renewed runs out after this; then another controller takes the stream over. */
export const LEASE_MS = 5000
const RENEW_EVERY_MS = 1500
/** How soon a stream that nobody looks after is found. */
const CLAIM_EVERY_MS = 500
/** How soon the watch of a lease that is over for certain ends; deciding and performing have ended before. */
const EXPIRE_EVERY_MS = 250
/** Acting ends this long before the lease can have run out, so that what is under way ends first. */
const MARGIN_MS = 1000
const CLAIM_LIMIT = 500
const TAKEN_AT_ONCE = 50
/**
 * Whatever is due wants somebody, however far ahead: times were written by clocks that may have been wrong, and a stream
 * that nobody looks after until a wrong time comes would be lost.
 */
const ANY_TIME = Number.MAX_SAFE_INTEGER

export type LeaseParts = {
  store: Store
  clock: Clock
  log: Log
  /** The stream is ours from now on, under this epoch. A failure gives it back. */
  onTaken(lease: Lease): Promise<Result<void>>
  /** Somebody else may act on the stream from now on. */
  onLost(stream: string): void
}

export interface Leases {
  /** The epoch under which this controller may act on the stream right now, or `null`. */
  epochOf(stream: string): number | null
  /** Takes what is free now, and answers when it was taken over. */
  claim(): Promise<Result<void>>
  /** A write was refused, because the stream has another holder. */
  lost(stream: string): void
  /**
   * Parts outside have seen a higher epoch than ours. Either the lease is lost, or the store was set back by a restore and
   * the lease still stands: then the epoch is raised above what they saw, once.
   */
  outbid(stream: string, seenEpoch: number): Promise<void>
  /** Renews and claims until the signal aborts. */
  keep(signal: AbortSignal): Promise<void>
  /** Gives everything back, so that others need not wait. */
  release(): Promise<void>
}

type Parts = Pick<LeaseParts, 'store' | 'clock' | 'onLost'>

/**
 * Which streams this controller looks after. The store decides; this remembers, and forgets in time: by its own monotonic
 * clock a lease is over before it is over for the store, also when this process was stopped and goes on later.
 */
export function createLeases(parts: LeaseParts): Leases {
  const { store, clock, log } = parts
  const book = createBook(parts)
  const raised = new Set<string>()
  let isClaiming = false

  async function take(lease: Lease): Promise<Result<void>> {
    const taken = await parts.onTaken(lease)
    if (taken.kind === 'failed') {
      book.drop(lease.stream)
      await store.release([lease.stream])
    }
    return taken
  }

  const claim = oneAtATime(async () => {
    const askedAt = clock.monotonic()
    isClaiming = true
    const claimed = await store.claim({ now: ANY_TIME, leaseMs: LEASE_MS, limit: CLAIM_LIMIT })
    if (claimed.kind === 'ok') for (const lease of claimed.value) book.note(lease, askedAt)
    isClaiming = false
    return claimed.kind === 'failed' ? claimed : takeAll(claimed.value, { askedAt, take, renew, clock })
  })

  async function renew(): Promise<void> {
    const askedAt = clock.monotonic()
    const renewed = await store.renew({ leaseMs: LEASE_MS })
    if (renewed.kind === 'failed')
      return log.warn('leases could not be renewed', { problem: renewed.problem })
    book.renewed(renewed.value, askedAt)
    // Ours in the store and not here: given up in time while the store was away, or taken without an answer. Nobody would
    // look after these for as long as we renew them, so they are given back and claimed anew.
    const strays = isClaiming ? [] : renewed.value.filter(({ stream }) => !book.knows(stream))
    if (strays.length > 0) await store.release(strays.map(({ stream }) => stream))
  }

  async function outbid(stream: string, seenEpoch: number): Promise<void> {
    await renew()
    if (book.epochOf(stream) === null || raised.has(stream)) return book.drop(stream)
    raised.add(stream)
    const since = clock.monotonic()
    const higher = await store.raiseEpoch({ stream, atLeast: seenEpoch + 1 })
    if (higher.kind === 'failed') return book.drop(stream)
    log.warn('the epoch was raised above what the parts outside remember', { seenEpoch, ...higher.value })
    book.note(higher.value, since)
    await take(higher.value)
  }

  /** Beside the claiming: to take over many takes its time, and what is held already must not run out meanwhile. */
  async function keepRenewed(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(RENEW_EVERY_MS, signal)
      if (!signal.aborted) await renew()
    }
  }

  async function keepClaiming(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(CLAIM_EVERY_MS, signal)
      if (signal.aborted) return
      const claimed = await claim()
      if (claimed.kind === 'failed') log.warn('streams could not be taken over', { problem: claimed.problem })
    }
  }

  /** Beside the other loops, which may be waiting for a store that does not answer. */
  async function letGoInTime(signal: AbortSignal): Promise<void> {
    while (store.shared && !signal.aborted) {
      await clock.sleep(EXPIRE_EVERY_MS, signal)
      for (const lease of book.dropExpired())
        log.warn('a lease may run out; the stream is left to others', lease)
    }
  }

  const keep = async (signal: AbortSignal): Promise<void> => {
    await Promise.all([keepRenewed(signal), keepClaiming(signal), letGoInTime(signal)])
  }

  async function release(): Promise<void> {
    const streams = book.clear()
    if (streams.length > 0) await store.release(streams)
  }

  return { epochOf: book.epochOf, claim, lost: book.drop, outbid, keep, release }
}

type Taking = {
  askedAt: number
  take(lease: Lease): Promise<Result<void>>
  renew(): Promise<void>
  clock: Clock
}

/** To take over very many takes longer than a lease lasts, so the leases are renewed on the way. */
async function takeAll(
  leases: readonly Lease[],
  { askedAt, take, renew, clock }: Taking,
): Promise<Result<void>> {
  const taken: Result<void>[] = []
  let renewedAt = askedAt
  for (let begun = 0; begun < leases.length; begun += TAKEN_AT_ONCE) {
    if (begun > 0 && clock.monotonic() - renewedAt >= RENEW_EVERY_MS) {
      renewedAt = clock.monotonic()
      await renew()
    }
    const next = leases.slice(begun, begun + TAKEN_AT_ONCE)
    taken.push(...(await Promise.all(next.map(take))))
  }
  return taken.find(({ kind }) => kind === 'failed') ?? ok(undefined)
}

/** The leases as this controller knows them, each with the moment from which it certainly stood. */
function createBook({ store, clock, onLost }: Parts) {
  const held = new Map<string, { epoch: number; since: number; notedAt: number }>()
  const isStanding = (since: number): boolean =>
    !store.shared || clock.monotonic() - since < LEASE_MS - MARGIN_MS

  function drop(stream: string): void {
    if (held.delete(stream)) onLost(stream)
  }

  return {
    drop,
    knows: (stream: string): boolean => held.has(stream),
    note: ({ stream, epoch }: Lease, since: number): void => {
      held.set(stream, { epoch, since, notedAt: clock.monotonic() })
    },
    epochOf: (stream: string): number | null => {
      const lease = held.get(stream)
      return lease !== undefined && isStanding(lease.since) ? lease.epoch : null
    },
    renewed: (leases: readonly Lease[], askedAt: number): void => {
      const epochs = new Map(leases.map(({ stream, epoch }) => [stream, epoch]))
      for (const [stream, lease] of held) {
        if (epochs.get(stream) === lease.epoch)
          held.set(stream, { ...lease, since: Math.max(lease.since, askedAt) })
        // One that was taken while the question was under way may not be in the answer.
        else if (lease.notedAt < askedAt) drop(stream)
      }
    },
    dropExpired: (): Lease[] => {
      const over = [...held].filter(([, { since }]) => !isStanding(since))
      for (const [stream] of over) drop(stream)
      return over.map(([stream, { epoch }]) => ({ stream, epoch }))
    },
    /** Forgets all without telling: it is this controller that goes. */
    clear: (): string[] => {
      const streams = [...held.keys()]
      held.clear()
      return streams
    },
  }
}

/** Whoever asks while a round is under way gets the next one: what it looks for may be newer than that round. */
function oneAtATime<T>(run: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return () => {
    const mine = last.then(run, run)
    last = mine.catch(() => undefined)
    return mine
  }
}
