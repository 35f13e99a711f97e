import { LATENCY_BUCKETS } from '../shared/histogram.ts'
import type { MirrorRoute } from '../shared/mirror.ts'
import type { RouterState } from '../shared/router-state.ts'
import type { RouteSet } from '../shared/routes.ts'
import { NO_SIDE_ROUTES, type SideRoutes } from '../shared/side-routes.ts'
import type { FencingToken } from '../shared/token.ts'
import {
  NO_PAIRS,
  type ServiceCounts,
  type ShadowCounts,
  type TrafficCounts,
} from '../shared/traffic-counts.ts'
import { binomial, type Chance, poisson } from './chance.ts'
import { bucketShares, dealt } from './latency.ts'
import type { SideNow } from './script.ts'

const BOOT = 'simulated'
type Tick = {
  requestsPerSecond: number
  ms: number
  qualityOf(release: string): SideNow
  readyOf(release: string): number
}

/** Routes in force, and counts of a stream of requests that follows them, as a data plane would count. */
export class SimulatedTraffic {
  readonly #stream: string
  readonly #chance: Chance
  #token: FencingToken | null = null
  #sets: readonly RouteSet[] = []
  #side: SideRoutes = NO_SIDE_ROUTES
  #unroutable = 0
  #turnedAway = 0
  #copies: ShadowCounts | null = null
  readonly #counts = new Map<string, TrafficCounts>()
  readonly #shares = new Map<string, readonly number[]>()

  constructor({ stream, chance }: { stream: string; chance: Chance }) {
    this.#stream = stream
    this.#chance = chance
  }

  /** Requests of a stretch of time. */
  serve(tick: Tick): void {
    const { requestsPerSecond, ms, qualityOf, readyOf } = tick
    const { closed, mirror } = this.#side
    if (closed !== null) {
      this.#turnedAway += poisson(this.#chance, (requestsPerSecond * ms) / 1000)
      return
    }
    if (this.#sets.length === 0) return
    if (mirror !== null && readyOf(mirror.release) > 0) this.#copies = this.#copied(mirror, tick)
    let left = poisson(this.#chance, (requestsPerSecond * ms) / 1000)
    let rest = 1000
    for (const { release, weightPermille } of this.#sets) {
      const here = rest <= 0 ? 0 : binomial(this.#chance, left, Math.min(1, weightPermille / rest))
      left -= here
      rest -= weightPermille
      if (here > 0 && readyOf(release) === 0) this.#unroutable += here
      else if (here > 0)
        this.#counts.set(release, this.#grown(this.#counts.get(release) ?? NOTHING, here, qualityOf(release)))
    }
    this.#unroutable += left
  }

  setRoutes({ token, routes, side }: { token: FencingToken; routes: RouteSet[]; side: SideRoutes }): void {
    this.#token = token
    this.#sets = routes
    this.#side = side
  }

  forget(): void {
    this.#token = null
    this.#sets = []
    this.#side = { ...this.#side, closed: null, mirror: null }
  }

  state(): RouterState {
    const { preview, closed } = this.#side
    return {
      service: this.#stream,
      boot: BOOT,
      token: this.#token,
      listening: this.#token === null ? null : { host: '127.0.0.1', port: 1 },
      sets: [...this.#sets],
      ...(preview === null ? {} : { preview: { listening: preview.listen, problem: null } }),
      ...(closed === null ? {} : { closed }),
      instances: [],
      reverted: null,
    }
  }

  counts(): ServiceCounts {
    return {
      service: this.#stream,
      boot: BOOT,
      releases: [...this.#counts].map(([release, total]) => ({ release, total, routes: {} })),
      unroutable: this.#unroutable,
      ...(this.#turnedAway === 0 ? {} : { closed: this.#turnedAway }),
      refused: 0,
      ...(this.#copies === null ? {} : { shadow: this.#copies }),
    }
  }

  /** Drawn beside the requests of users: with the same answers, as if all of them could be copied. */
  #copied({ salt, release, sharePermille }: MirrorRoute, { requestsPerSecond, ms, qualityOf }: Tick) {
    const known = this.#copies
    const stable = this.#sets.find(({ weightPermille }) => weightPermille > 0)?.release
    if (stable === undefined || stable === release) return known
    const before = known?.salt === salt ? known : noCopies(salt, release)
    const requests = poisson(this.#chance, (requestsPerSecond * ms * sharePermille) / 1_000_000)
    const [candidate, user] = [
      this.#grown(before.candidate, requests, qualityOf(release)),
      this.#grown(before.stable, requests, qualityOf(stable)),
    ]
    const errors = candidate.errors - before.candidate.errors + user.errors - before.stable.errors
    return {
      ...before,
      ...{ candidate, stable: user, answered: before.answered + Math.max(0, requests - errors) },
    }
  }

  /** As many requests of this quality more. */
  #grown(before: TrafficCounts, requests: number, quality: SideNow): TrafficCounts {
    const errors = binomial(this.#chance, requests, quality.errorRatePercent / 100)
    const buckets = dealt(this.#chance, requests, this.#sharesOf(quality))
    return {
      ...before,
      requests: before.requests + requests,
      errors: before.errors + errors,
      status: {
        ...before.status,
        '2xx': before.status['2xx'] + requests - errors,
        '5xx': before.status['5xx'] + errors,
      },
      latencyBuckets: before.latencyBuckets.map((sum, index) => sum + (buckets[index] ?? 0)),
    }
  }

  #sharesOf({ p50Ms, p99Ms }: SideNow): readonly number[] {
    const key = `${p50Ms} ${p99Ms}`
    const known = this.#shares.get(key) ?? bucketShares({ p50Ms, p99Ms })
    this.#shares.set(key, known)
    return known
  }
}

const NOTHING: TrafficCounts = {
  requests: 0,
  errors: 0,
  status: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
  connectFailures: 0,
  resets: 0,
  timeouts: 0,
  clientAborts: 0,
  cutOnDrain: 0,
  retries: 0,
  bytesIn: 0,
  bytesOut: 0,
  latencyBuckets: Array.from({ length: LATENCY_BUCKETS }, () => 0),
}

const noCopies = (salt: string, release: string): ShadowCounts => ({
  ...{ salt, release, candidate: NOTHING, stable: NOTHING },
  ...NO_PAIRS,
})
