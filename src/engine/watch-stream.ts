import type { Observed } from '../core/rollout/command.ts'
import type { Event } from '../core/rollout/event.ts'
import { isLightLookDue } from '../core/rollout/light-watch/see-light-watch.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { localPlace } from '../core/shared/local-url.ts'
import type { MetricDefinition } from '../core/shared/metric-definition.ts'
import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import type { RouterState } from '../core/shared/router-state.ts'
import type { Clock } from '../ports/clock.ts'
import type { EngineObserver, Look } from '../ports/engine-observer.ts'
import type { Log } from '../ports/log.ts'
import type { MetricProvider } from '../ports/metric.ts'
import type { ProbeRun, Prober } from '../ports/prober.ts'
import type { Store } from '../ports/store.ts'
import { createBaselineRecorder } from './baselines.ts'
import type { Decided } from './decided.ts'
import type { Engine } from './engine.ts'
import type { LookParts } from './look.ts'
import { freshProbes, look, lookAgainMs } from './look.ts'
import { watchMetrics } from './metric-watch.ts'

/** After a look that could not be decided (storage trouble), so that a full disk is not hammered. */
const TROUBLE_MS = 1000
/** A reason of its own, because to make an error with its stack for each nudge is dear. */
const NUDGED = 'nudged'

export type WatchParts = LookParts & {
  store: Pick<Store, 'getDocument' | 'putDocument'>
  engine: Engine
  clock: Clock
  log: Log
  prober: Prober
  probeKey: string
  /** Who is asked for a declared metric. */
  providerOf(metric: MetricDefinition): MetricProvider
  epoch: number
  onLook(stream: string, routerState: RouterState | null): void
  /** Parts outside have seen this higher epoch. */
  onOutbid(stream: string, seenEpoch: number): void
  /** How many streams this controller looks after. */
  streams(): number
  observer?: EngineObserver
}

/** One look: what it found, and how long to wait before the next one. */
type Glance = { pauseMs: number; seen: Look['seen'] }
const TROUBLE: Glance = { pauseMs: TROUBLE_MS, seen: null }

/**
 * A new owner begins with its first look, in one decision. If target and router are slow, it begins without: the stream has
 * an owner, who has not seen them yet.
 */
const BEGIN_WITHIN_MS = 250

export interface StreamWatch {
  /** Resolves when the stream knows its new owner, or could not be told. */
  begun: Promise<Result<void>>
  /** Look now instead of at the next turn: something was just done. */
  nudge(): void
  /** Resolves when the last look is over. */
  finished: Promise<void>
}

/** Looks at one stream again and again, as often as its state deserves, until the signal ends it. */
export function watchStream(parts: WatchParts, stream: string, signal: AbortSignal): StreamWatch {
  const { clock, engine, log } = parts
  const probing = createProbing(parts)
  const followers = [watchMetrics(parts, stream, signal), createBaselineRecorder(parts)]
  let wake = new AbortController()
  /** When the light watch last asked for numbers. */
  let askedAt: number | null = null
  const beginning = Promise.withResolvers<Result<void>>()
  let isBegun = false

  async function begin(seen?: Observed): Promise<Result<Decided>> {
    isBegun = true
    const observation = seen === undefined ? {} : { observation: seen }
    const decided = await engine.handle(stream, {
      kind: 'controller-started',
      epoch: parts.epoch,
      ...observation,
    })
    beginning.resolve(decided.kind === 'ok' ? ok(undefined) : decided)
    return decided
  }

  async function once(): Promise<Glance> {
    const loaded = await engine.load(stream)
    if (loaded.kind === 'failed') {
      log.error('state could not be loaded', { stream, problem: loaded.problem })
      beginning.resolve(loaded)
      return TROUBLE
    }
    probing.follow(loaded.value.state)
    const lightLook = isLightLookDue(loaded.value.state, askedAt, clock.now())
    if (lightLook) askedAt = clock.now()
    const looking = look(parts, stream, { state: loaded.value.state, probes: probing.fresh(), lightLook })
    if (!isBegun && (await isSlow(looking, parts, signal))) await begin()
    const { observed, highestEpoch, routerState } = await looking
    if (highestEpoch > parts.epoch) {
      beginning.resolve(ok(undefined))
      parts.onOutbid(stream, highestEpoch)
      return TROUBLE
    }
    parts.onLook(stream, routerState)
    const decided = isBegun
      ? await engine.handle(stream, { kind: 'observed', observation: observed, underEpoch: parts.epoch })
      : await begin(observed)
    if (decided.kind === 'failed') {
      log.error('observation could not be decided', { stream, problem: decided.problem })
      return TROUBLE
    }
    probing.journalled(decided.value.events)
    const { state } = decided.value
    for (const follower of followers) await follower.follow(state)
    const pauseMs = lookAgainMs(state, { now: clock.now(), streams: parts.streams() })
    return { pauseMs, seen: { state, routerState } }
  }

  const nudge = (): void => wake.abort(NUDGED)
  signal.addEventListener('abort', nudge, { once: true })

  async function run(): Promise<void> {
    let plannedAt = clock.monotonic()
    while (!signal.aborted) {
      const begunAt = clock.monotonic()
      const { pauseMs, seen } = await once()
      const endedAt = clock.monotonic()
      // One that was nudged came before its time and is not late.
      const lateMs = Math.max(0, begunAt - plannedAt)
      parts.observer?.looked({ stream, lateMs, tookMs: endedAt - begunAt, seen })
      plannedAt = endedAt + pauseMs
      if (!signal.aborted) await clock.sleep(pauseMs, wake.signal)
      if (wake.signal.aborted) wake = new AbortController()
    }
    probing.stop()
    beginning.resolve(ok(undefined))
  }

  return { nudge, begun: beginning.promise, finished: run() }
}

async function isSlow(
  looking: Promise<unknown>,
  { clock }: Pick<WatchParts, 'clock'>,
  signal: AbortSignal,
): Promise<boolean> {
  const enough = new AbortController()
  const waiting = clock.sleep(BEGIN_WITHIN_MS, AbortSignal.any([enough.signal, signal])).then(() => true)
  const slow = await Promise.race([looking.then(() => false), waiting])
  enough.abort()
  return slow
}

type Probing = {
  follow(state: ServiceState): void
  fresh(): { sent: number; lost: number }
  journalled(events: readonly Event[]): void
  stop(): void
}

/** Probes run exactly while a rollout does. */
function createProbing({ prober, probeKey }: Pick<WatchParts, 'prober' | 'probeKey'>): Probing {
  let run: { rollout: string; probes: ProbeRun } | null = null
  let noted = { sent: 0, lost: 0 }
  const stop = (): void => {
    run?.probes.stop()
    run = null
    noted = { sent: 0, lost: 0 }
  }
  return {
    follow: ({ rollout, traffic }) => {
      // Before the first release has traffic nothing could answer, and nothing could be lost.
      const serving = Object.values(traffic.confirmed?.weights ?? {}).some((weight) => weight > 0)
      const wanted = rollout !== null && rollout.phase.kind !== 'ended' && serving ? rollout : null
      if (run !== null && run.rollout !== wanted?.id) stop()
      if (wanted === null || run !== null || wanted.settings.prober === null) return
      const { listen, prober: settings } = wanted.settings
      if (listen === null) return
      const place = localPlace(listen, wanted.settings)
      run = {
        rollout: wanted.id,
        probes: prober.start({ ...place, probeKey, paths: settings.paths, intervalMs: settings.intervalMs }),
      }
    },
    fresh: () => freshProbes(run?.probes ?? null, noted),
    journalled: (events) => {
      for (const event of events)
        if (event.kind === 'metrics-observed')
          noted = { sent: noted.sent + event.probes, lost: noted.lost + event.probesLost }
    },
    stop,
  }
}
