import type { InstanceTraffic, RouterState, ShownCertificate } from '../core/shared/router-state.ts'
import type { ServiceCounts } from '../core/shared/traffic-counts.ts'
import type { Limited } from './admission.ts'
import { Followers } from './followers.ts'
import { keepCounted } from './handover/add-counts.ts'
import type { Follower } from './handover/follower.ts'
import type { MetricSums, Report } from './handover/messages.ts'
import { COUNTED_RELEASES } from './limits.ts'
import type { Service } from './service.ts'

type Services = ReadonlyMap<string, Service>

/**
 * What there is to see of all services: of this process, of its workers and, until it is gone, of the one that served
 * before. Whoever looks sees one data plane.
 */
export class Sight {
  /** Which row of counters this is: a new one says that they began anew. */
  boot: string
  readonly followers: Followers
  private readonly services: Services
  /** Finalized, but perhaps still draining. */
  private readonly leaving: Services

  constructor(boot: string, { services, leaving }: { services: Services; leaving: Services }) {
    this.boot = boot
    this.services = services
    this.leaving = leaving
    this.followers = new Followers((name) => this.inUse(name))
  }

  get elder(): Follower | null {
    return this.followers.elder
  }

  set elder(elder: Follower | null) {
    this.followers.elder = elder
  }

  state(name: string): RouterState {
    const service = this.services.get(name)
    const preview = service?.preview?.state
    const closed = service?.closed ?? null
    const limited = this.limited(name)
    const certificate = this.certificate(name)
    return {
      service: name,
      boot: this.boot,
      token: service?.routes?.token ?? null,
      listening: service?.listener?.address ?? null,
      sets: [...(service?.setsInForce ?? [])],
      ...(preview === undefined ? {} : { preview }),
      ...(closed === null ? {} : { closed }),
      ...(certificate === null ? {} : { certificate }),
      ...(limited === null ? {} : { limited }),
      instances: this.traffic(name),
      reverted: service?.reverted ?? null,
    }
  }

  counts(name: string): ServiceCounts | null {
    const own = this.services.get(name)?.countsReport(this.boot) ?? null
    return own === null ? null : this.followers.addCounts(own, name)
  }

  traffic(name: string): InstanceTraffic[] {
    const own = [...(this.services.get(name)?.traffic() ?? []), ...(this.leaving.get(name)?.traffic() ?? [])]
    return this.followers.addTraffic(own, name)
  }

  /** Requests that limits turned away; `null` where none are set. */
  limited(name: string): Limited | null {
    const own = this.services.get(name)?.limited ?? null
    return own === null ? null : this.followers.addLimited(own, name)
  }

  /** What clients are shown, whichever process they meet; `null` without TLS. */
  certificate(name: string): ShownCertificate | null {
    const own = this.services.get(name)?.certificate ?? null
    return own === null ? null : this.followers.worstCertificate(own, name).shown
  }

  /** What is in the metrics alone, by release. */
  sums(name: string): MetricSums {
    return this.followers.addSums(this.services.get(name)?.metricSums() ?? {}, name)
  }

  /** Everything that a process must know that answers for this one, or takes over; of one service where one is named. */
  report(only?: string): Report {
    const all = [...this.services.keys(), ...this.leaving.keys(), ...this.followers.services]
    const about = [...new Set(only === undefined ? all : [only])].map((name) => {
      const counts = this.counts(name)
      const kept = counts === null ? null : keepCounted(counts, this.inUse(name), COUNTED_RELEASES)
      const more = { instances: this.traffic(name), limited: this.limited(name), sums: this.sums(name) }
      const certificate = this.services.get(name)?.certificate ?? null
      return [name, { counts: kept, ...more, ...(certificate === null ? {} : { certificate }) }]
    })
    return { elders: this.elders, services: Object.fromEntries(about) }
  }

  /** Processes that were replaced and still end what they have. */
  get elders(): number {
    const { elder } = this
    return elder === null || elder.isGone ? 0 : elder.elders + 1
  }
  private inUse(name: string): ReadonlySet<string> {
    return new Set(this.services.get(name)?.setsInForce.map(({ release }) => release))
  }
}
