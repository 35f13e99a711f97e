import type { Event } from '../core/rollout/event.ts'
import { isLightLookDue } from '../core/rollout/see-light-watch.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import type { RouterState } from '../core/shared/router-state.ts'
import type { Clock } from '../ports/clock.ts'
import type { EngineObserver, Look } from '../ports/engine-observer.ts'
import type { Log } from '../ports/log.ts'
import type { ProbeRun, Prober } from '../ports/prober.ts'
import type { Engine } from './engine.ts'
import type { LookParts } from './look.ts'
import { freshProbes, look, lookAgainMs } from './look.ts'

/** After a look that could not be decided (storage trouble), so that a full disk is not hammered. */
const TROUBLE_MS = 1000
/** A reason of its own, because to make an error with its stack for each nudge is dear. */
const NUDGED = 'nudged'

export type WatchParts = LookParts & {
  engine: Engine
  clock: Clock
  log: Log
  prober: Prober
  probeKey: string
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

export interface StreamWatch {
  /** Look now instead of at the next turn: something was just done. */
  nudge(): void
  /** Resolves when the last look is over. */
  finished: Promise<void>
}

/** Looks at one stream again and again, as often as its state deserves, until the signal ends it. */
export function watchStream(parts: WatchParts, stream: string, signal: AbortSignal): StreamWatch {
  const { clock, engine, log } = parts
  const probing = createProbing(parts)
  let wake = new AbortController()
  /** When the light watch last asked for numbers. */
  let askedAt: number | null = null

  async function once(): Promise<Glance> {
    const loaded = await engine.load(stream)
    if (loaded.kind === 'failed') {
      log.error('state could not be loaded', { stream, problem: loaded.problem })
      return TROUBLE
    }
    probing.follow(loaded.value.state)
    const lightLook = isLightLookDue(loaded.value.state, askedAt, clock.now())
    if (lightLook) askedAt = clock.now()
    const { observed, highestEpoch, routerState } = await look(parts, stream, {
      state: loaded.value.state,
      probes: probing.fresh(),
      lightLook,
    })
    if (highestEpoch > parts.epoch) {
      parts.onOutbid(stream, highestEpoch)
      return TROUBLE
    }
    parts.onLook(stream, routerState)
    const decided = await engine.handle(stream, {
      kind: 'observed',
      observation: observed,
      underEpoch: parts.epoch,
    })
    if (decided.kind === 'failed') {
      log.error('observation could not be decided', { stream, problem: decided.problem })
      return TROUBLE
    }
    probing.journalled(decided.value.events)
    const { state } = decided.value
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
  }

  return { nudge, finished: run() }
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
      const host = listen.host === '0.0.0.0' || listen.host === '::' ? '127.0.0.1' : listen.host
      const url = `http://${host.includes(':') ? `[${host}]` : host}:${listen.port}`
      run = {
        rollout: wanted.id,
        probes: prober.start({ url, probeKey, paths: settings.paths, intervalMs: settings.intervalMs }),
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
