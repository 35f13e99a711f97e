import { Agent } from 'node:http'
import { type MixEntry, pickEntry } from './mix.ts'
import { type RequestOrder, StrictAgent, sendRequest } from './request.ts'
import { type LoadStats, Tally } from './tally.ts'

export type LoadOptions = {
  /** Scheme, host and port, `http://127.0.0.1:8080`; paths come from the mix. */
  url: string
  ratePerSecond: number
  mix: readonly MixEntry[]
  /** `both` flips a coin for each request. */
  connections?: 'keep-alive' | 'fresh' | 'both'
  /**
   * Does what browsers and most HTTP libraries do: a request without a body goes out once more, on a fresh connection, when
   * a reused one was reset before the first byte of the answer (RFC 9110, 9.2.2). Without it, such a request is lost.
   */
  sendAgain?: boolean
  /** For each request, from the moment it is sent to the last byte of the answer. */
  timeoutMs?: number
  /** Requests that are due beyond it are counted as `notSent`. */
  maxInFlight?: number
  /** Share (0 to 1) of requests with a body whose body arrives in two parts, `slowUploadMs` apart. */
  slowShare?: number
  slowUploadMs?: number
  /** Ends by itself after this time; without it, `stop` ends it. */
  durationMs?: number
  /** Header of the answer that names the version. */
  versionHeader?: string
  /** In [0, 1). */
  random?: () => number
}

export type Load = {
  /** Numbers so far; cheap enough for every second. */
  stats(): LoadStats
  /** Sends nothing new, waits for what is in flight (at most `timeoutMs`), answers with the final numbers. Repeatable. */
  stop(): Promise<LoadStats>
  /** The final numbers, once `stop` was called or `durationMs` is over. */
  readonly finished: Promise<LoadStats>
}

const DEFAULTS = {
  connections: 'keep-alive',
  sendAgain: false,
  timeoutMs: 10_000,
  /** Bounds memory and sockets when the service hangs: 20 s of 50 requests per second. */
  maxInFlight: 1000,
  slowShare: 0,
  slowUploadMs: 1000,
  durationMs: Number.POSITIVE_INFINITY,
  versionHeader: 'x-shop-version',
  random: Math.random,
} satisfies Partial<LoadOptions>

/**
 * Sends requests at fixed times, whatever the answers do (open loop), and measures each latency from the time the
 * request was due. A service that stalls therefore shows the whole stall, as its users would see it, and not one slow
 * request (Gil Tene, "coordinated omission").
 *
 * @example
 * const load = startLoad({ url: 'http://127.0.0.1:8080', ratePerSecond: 200, mix: SHOP_MIX })
 * // ... deploy ...
 * const { lost } = await load.stop()
 */
export function startLoad(options: LoadOptions): Load {
  const plan = { ...DEFAULTS, ...options }
  const url = checked(plan)
  const tally = new Tally()
  const agents = { keepAlive: new StrictAgent(), fresh: new Agent({ keepAlive: false }) }
  const waiting = new Set<Promise<void>>()
  const { promise: finished, resolve: finish } = Promise.withResolvers<LoadStats>()
  const run = Math.floor(plan.random() * 0xffffff).toString(36)

  function launch(index: number, scheduledAtMs: number): void {
    if (tally.inFlight >= plan.maxInFlight) {
      tally.countNotSent()
      return
    }
    const entry = pickEntry(plan.mix, plan.random())
    const slowUploadMs = entry.body !== undefined && plan.random() < plan.slowShare ? plan.slowUploadMs : 0
    const isKept = plan.connections === 'both' ? plan.random() < 0.5 : plan.connections === 'keep-alive'
    tally.countSent(performance.now() - scheduledAtMs)
    const order: RequestOrder = {
      url,
      entry,
      agent: isKept ? agents.keepAlive : agents.fresh,
      id: `${run}-${index}`,
      scheduledAtMs,
      timeoutMs: plan.timeoutMs,
      versionHeader: plan.versionHeader,
      slowUploadMs,
    }
    const end = sendRequest(order)
      .then((outcome) => {
        const isDue = plan.sendAgain && outcome.kind === 'lost' && outcome.wasIdle === true
        if (!isDue || entry.body !== undefined) return outcome
        tally.countSentAgain()
        return sendRequest({ ...order, agent: agents.fresh })
      })
      .then((outcome) => tally.count(outcome))
      .finally(() => waiting.delete(end))
    waiting.add(end)
  }

  const schedule = startSchedule({
    intervalMs: 1000 / plan.ratePerSecond,
    durationMs: plan.durationMs,
    launch,
    end: stop,
  })

  async function stop(): Promise<LoadStats> {
    schedule.stop()
    // Every request carries its own time-out, so this ends.
    await Promise.all(waiting)
    agents.keepAlive.destroy()
    agents.fresh.destroy()
    finish(tally.snapshot())
    return finished
  }

  return { stats: () => tally.snapshot(), stop, finished }
}

type ScheduleOptions = {
  intervalMs: number
  durationMs: number
  launch: (index: number, scheduledAtMs: number) => void
  end: () => Promise<unknown>
}

/** Calls `launch` for each multiple of the interval, catching up after a delay, so that the number sent is exact. */
function startSchedule({ intervalMs, durationMs, launch, end }: ScheduleOptions): { stop(): void } {
  const startedAtMs = performance.now()
  let next = 0
  let timer = setTimeout(tick, 0)

  function tick(): void {
    const elapsedMs = performance.now() - startedAtMs
    while (next * intervalMs <= elapsedMs && next * intervalMs < durationMs) {
      launch(next, startedAtMs + next * intervalMs)
      next += 1
    }
    if (next * intervalMs >= durationMs) {
      void end()
      return
    }
    timer = setTimeout(tick, Math.max(1, startedAtMs + next * intervalMs - performance.now()))
  }

  return { stop: () => clearTimeout(timer) }
}

type Limits = Required<Pick<LoadOptions, 'url' | 'ratePerSecond' | 'mix' | 'timeoutMs' | 'maxInFlight'>>

function checked({ url, ratePerSecond, mix, timeoutMs, maxInFlight }: Limits): URL {
  const parsed = new URL(url)
  if (parsed.protocol !== 'http:')
    throw new RangeError(`The load client speaks http only, not ${parsed.protocol}`)
  if (!(ratePerSecond > 0 && ratePerSecond <= 100_000))
    throw new RangeError(`ratePerSecond must be above 0 and at most 100000, not ${ratePerSecond}`)
  if (!mix.some((entry) => entry.share > 0))
    throw new RangeError('The mix needs an entry with a share above 0')
  if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs must be above 0, not ${timeoutMs}`)
  if (!(maxInFlight >= 1)) throw new RangeError(`maxInFlight must be at least 1, not ${maxInFlight}`)
  return parsed
}
