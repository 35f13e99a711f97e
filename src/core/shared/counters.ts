import { bucketOf, LATENCY_BUCKETS } from './histogram.ts'
import type { ApartCounts, ReleaseCounts, ServiceCounts, TrafficCounts } from './traffic-counts.ts'

/** Route classes per release; the rest is counted as `other`. */
const ROUTE_CLASSES = 64
/** Releases with counters per service; the oldest that take no traffic are forgotten first. */
const COUNTED_RELEASES = 32

const OTHER = 'other'

/** Monotonic counters of one release or one route class of it. The shape is that of the report: no copying of names. */
export class Counters implements TrafficCounts {
  requests = 0
  errors = 0
  status = { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 }
  connectFailures = 0
  resets = 0
  timeouts = 0
  clientAborts = 0
  cutOnDrain = 0
  retries = 0
  bytesIn = 0
  bytesOut = 0
  latencyBuckets: number[] = new Array(LATENCY_BUCKETS).fill(0)

  /** An answer with this status reached the client completely (or, for what lives long, began). */
  answered(status: number): void {
    this.requests += 1
    if (status < 300) {
      if (status >= 200) this.status['2xx'] += 1
      else this.status['1xx'] += 1
    } else if (status < 400) this.status['3xx'] += 1
    else if (status < 500) this.status['4xx'] += 1
    else {
      this.status['5xx'] += 1
      this.errors += 1
    }
  }

  took(bucket: number): void {
    this.latencyBuckets[bucket] = (this.latencyBuckets[bucket] ?? 0) + 1
  }
}

/** Names of the counters that one event adds to, besides the status classes. */
export type Event =
  | 'requests'
  | 'errors'
  | 'connectFailures'
  | 'resets'
  | 'timeouts'
  | 'clientAborts'
  | 'cutOnDrain'
  | 'retries'

/** Counters of one release, as a whole and by route class. */
export class ReleaseCounters {
  readonly release: string
  readonly total = new Counters()
  /** Of all requests in the latency buckets. */
  latencySumMs = 0
  private readonly routes = new Map<string, Counters>()

  constructor(release: string) {
    this.release = release
  }

  /** The counters of a route class; beyond the limit of classes those of `other`. */
  route(name: string): Counters {
    const known = this.routes.get(name)
    if (known !== undefined) return known
    const key = this.routes.size < ROUTE_CLASSES ? name : OTHER
    const counters = this.routes.get(key) ?? new Counters()
    this.routes.set(key, counters)
    return counters
  }

  report(): ReleaseCounts {
    return { release: this.release, total: this.total, routes: Object.fromEntries(this.routes) }
  }
}

/** Counters of one service since this process started. */
export class ServiceCounters {
  unroutable = 0
  closed = 0
  refused = 0
  private readonly releases = new Map<string, ReleaseCounters>()
  private readonly refusedConnections = new WeakSet<object>()

  /** Every refusal closes its connection, so what the parser says about the rest of it is not counted again. */
  refuse(connection: object): void {
    if (this.refusedConnections.has(connection)) return
    this.refusedConnections.add(connection)
    this.refused += 1
  }

  release(id: string): ReleaseCounters {
    const known = this.releases.get(id)
    if (known !== undefined) return known
    const counters = new ReleaseCounters(id)
    this.releases.set(id, counters)
    return counters
  }

  /** The counters of a release that had requests; `null` for one that nobody asked yet. */
  find(id: string): ReleaseCounters | null {
    return this.releases.get(id) ?? null
  }

  /** Forgets the oldest releases that are not in use, beyond the limit. */
  forgetExcept(inUse: ReadonlySet<string>): void {
    for (const id of this.releases.keys()) {
      if (this.releases.size <= COUNTED_RELEASES) return
      if (!inUse.has(id)) this.releases.delete(id)
    }
  }

  /** Of releases that had requests. */
  totals(by: ApartCounts['by']): ApartCounts[] {
    return [...this.releases.values()].map(({ release, total }) => ({ by, release, total }))
  }

  report(service: string, boot: string): ServiceCounts {
    const releases = [...this.releases.values()].map((release) => release.report())
    const { unroutable, closed, refused } = this
    return { service, boot, releases, unroutable, ...(closed === 0 ? {} : { closed }), refused }
  }
}

/** What one request adds to: its release and its route class. */
export class Tally {
  /** Of this request alone. */
  bytesIn = 0
  bytesOut = 0
  private readonly release: ReleaseCounters
  private readonly total: Counters
  private readonly route: Counters

  constructor(release: ReleaseCounters, route: string) {
    this.release = release
    this.total = release.total
    this.route = release.route(route)
  }

  add(event: Event): void {
    this.total[event] += 1
    this.route[event] += 1
  }

  answered(status: number): void {
    this.total.answered(status)
    this.route.answered(status)
  }

  /** A piece of a body on its way to the instance. Counted as it goes: a long transfer is no secret until its end. */
  passedIn(bytes: number): void {
    this.bytesIn += bytes
    this.total.bytesIn += bytes
    this.route.bytesIn += bytes
  }

  /** A piece of a body on its way to the client. */
  passedOut(bytes: number): void {
    this.bytesOut += bytes
    this.total.bytesOut += bytes
    this.route.bytesOut += bytes
  }

  took(latencyMs: number): void {
    const bucket = bucketOf(latencyMs)
    this.release.latencySumMs += latencyMs
    this.total.took(bucket)
    this.route.took(bucket)
  }
}
