import { LATENCY_BUCKETS } from '../shared/histogram.ts'
import type { RouterState } from '../shared/router-state.ts'
import type { RouteSet } from '../shared/routes.ts'
import type { SideRoutes } from '../shared/side-routes.ts'
import type { FencingToken } from '../shared/token.ts'
import type { ServiceCounts, TrafficCounts } from '../shared/traffic-counts.ts'
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
export function createTraffic({ stream, chance }: { stream: string; chance: Chance }) {
  let token: FencingToken | null = null
  let sets: RouteSet[] = []
  let preview: RouterState['preview']
  let unroutable = 0
  const counts = new Map<string, TrafficCounts>()
  const shares = new Map<string, readonly number[]>()

  const sharesOf = ({ p50Ms, p99Ms }: SideNow): readonly number[] => {
    const key = `${p50Ms} ${p99Ms}`
    const known = shares.get(key) ?? bucketShares({ p50Ms, p99Ms })
    shares.set(key, known)
    return known
  }

  function serve({ requestsPerSecond, ms, qualityOf, readyOf }: Tick): void {
    if (sets.length === 0) return
    let left = poisson(chance, (requestsPerSecond * ms) / 1000)
    let rest = 1000
    for (const { release, weightPermille } of sets) {
      const here = rest <= 0 ? 0 : binomial(chance, left, Math.min(1, weightPermille / rest))
      left -= here
      rest -= weightPermille
      if (here > 0 && readyOf(release) === 0) unroutable += here
      else if (here > 0) count(release, here, qualityOf(release))
    }
    unroutable += left
  }

  function count(release: string, requests: number, quality: SideNow): void {
    const before = counts.get(release) ?? NOTHING
    const errors = binomial(chance, requests, quality.errorRatePercent / 100)
    const buckets = dealt(chance, requests, sharesOf(quality))
    counts.set(release, {
      ...before,
      requests: before.requests + requests,
      errors: before.errors + errors,
      status: {
        ...before.status,
        '2xx': before.status['2xx'] + requests - errors,
        '5xx': before.status['5xx'] + errors,
      },
      latencyBuckets: before.latencyBuckets.map((sum, index) => sum + (buckets[index] ?? 0)),
    })
  }

  return {
    serve,
    setRoutes: (to: { token: FencingToken; routes: RouteSet[]; side: SideRoutes }): void => {
      token = to.token
      sets = to.routes
      preview = to.side.preview === null ? undefined : { listening: to.side.preview.listen, problem: null }
    },
    forget: (): void => {
      token = null
      sets = []
    },
    state: (): RouterState => ({
      service: stream,
      boot: BOOT,
      token,
      listening: token === null ? null : { host: '127.0.0.1', port: 1 },
      sets,
      ...(preview === undefined ? {} : { preview }),
      instances: [],
      reverted: null,
    }),
    counts: (): ServiceCounts => ({
      service: stream,
      boot: BOOT,
      releases: [...counts].map(([release, total]) => ({ release, total, routes: {} })),
      unroutable,
      refused: 0,
    }),
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
