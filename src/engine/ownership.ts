import { SILENT } from '../core/rollout/view/timeline.ts'
import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import type { Clock } from '../ports/clock.ts'
import type { EngineObserver } from '../ports/engine-observer.ts'
import type { Log } from '../ports/log.ts'
import type { Lease, Store } from '../ports/store.ts'
import type { Audience } from './audience.ts'
import { decodeEvent } from './decode.ts'
import type { Engine } from './engine.ts'
import type { Leases } from './lease.ts'
import { createLeases } from './lease.ts'
import type { StreamWatch, WatchParts } from './watch-stream.ts'
import { watchStream } from './watch-stream.ts'

/** How far back events are read when a stream is taken over, to fill the timelines of the views. */
const REMEMBERED_EVENTS = 400
/** How often views of streams that another controller looks after are brought up to date when no hint comes. */
const FOLLOW_EVERY_MS = 1000

export type OwnershipParts = {
  store: Store
  clock: Clock
  log: Log
  audience: Audience
  engine(): Engine
  watchParts(): Omit<WatchParts, 'epoch' | 'onOutbid' | 'streams' | 'store'>
  /** An embedded store was taken by somebody else: there is nothing left to do here. */
  onFenced(): void
  observer?: EngineObserver
}

export type Ownership = {
  leases: Leases
  /** Looks at the stream now: takes it over when nobody has it. */
  attend(stream: string): void
  nudge(stream: string): void
  /** Renews, claims and follows until the signal aborts, then lets go of everything. */
  run(signal: AbortSignal): Promise<void>
}

type Watch = { watch: StreamWatch; ended: AbortController }

/** The streams this controller looks after, each with its watch; the others are only followed. */
export function createOwnership(parts: OwnershipParts): Ownership {
  const { store, clock, log } = parts
  const watches = new Map<string, Watch>()
  const endings = new Set<Promise<void>>()

  function endWatch(stream: string): void {
    const found = watches.get(stream)
    if (found === undefined) return
    watches.delete(stream)
    found.ended.abort()
    endings.add(found.watch.finished)
    void found.watch.finished.then(() => endings.delete(found.watch.finished))
  }

  /** Resume begins with observing: the stream learns the new epoch, and nothing is done to a part before it was looked at. */
  async function takeOver({ stream, epoch }: Lease): Promise<Result<void>> {
    const caughtUp = await catchUp(parts, stream)
    if (caughtUp.kind === 'failed') return caughtUp
    endWatch(stream)
    const ended = new AbortController()
    const onOutbid = (_: string, seenEpoch: number): void => void leases.outbid(stream, seenEpoch)
    const own = { store, epoch, onOutbid, streams: () => watches.size }
    const watch = watchStream({ ...parts.watchParts(), ...own }, stream, ended.signal)
    watches.set(stream, { watch, ended })
    const begun = await watch.begun
    if (begun.kind === 'failed') return begun
    parts.observer?.leaseTaken({ stream, epoch })
    return ok(undefined)
  }

  const leases = createLeases({
    store,
    clock,
    log,
    onTaken: takeOver,
    onLost: (stream) => {
      endWatch(stream)
      parts.observer?.leaseLost(stream)
      if (!store.shared) parts.onFenced()
    },
  })

  const nudge = (stream: string): void => watches.get(stream)?.watch.nudge()

  async function follow(stream: string): Promise<void> {
    nudge(stream)
    const followed = await catchUp(parts, stream)
    if (followed.kind === 'failed')
      log.warn('a stream could not be followed', { stream, problem: followed.problem })
  }

  async function followAll(signal: AbortSignal): Promise<void> {
    if (!store.shared) return
    const stop = store.listen((stream) => void follow(stream))
    while (!signal.aborted) {
      await clock.sleep(FOLLOW_EVERY_MS, signal)
      const streams = await store.streams()
      if (streams.kind === 'ok')
        for (const stream of streams.value) if (!watches.has(stream)) await follow(stream)
    }
    stop()
  }

  return {
    leases,
    nudge,
    attend: (stream) => {
      if (watches.has(stream)) return nudge(stream)
      void leases.claim()
    },
    run: async (signal) => {
      await Promise.all([leases.keep(signal), followAll(signal)])
      const last = [...watches.values()].map(({ watch }) => watch.finished)
      for (const { ended } of watches.values()) ended.abort()
      watches.clear()
      await Promise.all([...last, ...endings])
      await leases.release()
    },
  }
}

/** Brings the views up to date with what is stored: what another controller decided, or this one before it was started. */
async function catchUp(
  { store, audience, engine }: Pick<OwnershipParts, 'store' | 'audience' | 'engine'>,
  stream: string,
): Promise<Result<void>> {
  const loaded = await engine().load(stream)
  if (loaded.kind === 'failed') return loaded
  const { state, revision } = loaded.value
  const known = audience.revisionOf(stream)
  if (revision <= known) return ok(undefined)
  const after = Math.max(known, revision - REMEMBERED_EVENTS)
  const stored = await store.events({ stream, after, limit: revision - after, without: SILENT })
  if (stored.kind === 'failed') return stored
  const events = stored.value.flatMap((one) => {
    const event = decodeEvent(one)
    return event.kind === 'ok' ? [{ sequence: one.sequence, event: event.value }] : []
  })
  audience.followed(stream, { state, revision, events })
  return ok(undefined)
}
