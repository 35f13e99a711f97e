import type { InstanceTraffic, RouterState } from '../core/shared/router-state.ts'
import type { ServiceCounts } from '../core/shared/traffic-counts.ts'
import type { Limited } from './admission.ts'
import { addCounts, keepCounted } from './handover/add-counts.ts'
import { addTraffic } from './handover/add-traffic.ts'
import type { Elder } from './handover/elder.ts'
import type { Report } from './handover/messages.ts'
import { COUNTED_RELEASES } from './limits.ts'
import type { Service } from './service.ts'

type Services = ReadonlyMap<string, Service>

/**
 * What there is to see of all services: of this process and, until it is gone, of the one that served before. Whoever looks
 * sees one data plane.
 */
export class Sight {
  /** Which row of counters this is: a new one says that they began anew. */
  boot: string
  elder: Elder | null = null
  private readonly services: Services
  /** Finalized, but perhaps still draining. */
  private readonly leaving: Services

  constructor(boot: string, { services, leaving }: { services: Services; leaving: Services }) {
    this.boot = boot
    this.services = services
    this.leaving = leaving
  }

  /** Whether what is seen now is in force everywhere. */
  async isInForce(): Promise<boolean> {
    return this.elder === null || (await this.elder.follows())
  }

  state(name: string): RouterState {
    const service = this.services.get(name)
    const preview = service?.preview?.state
    const closed = service?.closed ?? null
    const limited = this.limited(name)
    const certificate = service?.certificate ?? null
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
    const before = this.elder?.countsOf(name) ?? null
    return own === null || before === null ? own : addCounts(own, before)
  }

  /** Everything that a process that takes over must know, and go on to know while this one ends what it has. */
  report(): Report {
    const { elder } = this
    const names = new Set([...this.services.keys(), ...this.leaving.keys(), ...(elder?.services ?? [])])
    const about = [...names].map((name) => {
      const inUse = new Set(this.services.get(name)?.setsInForce.map(({ release }) => release))
      const counts = this.counts(name)
      const kept = counts === null ? null : keepCounted(counts, inUse, COUNTED_RELEASES)
      return [name, { counts: kept, instances: this.traffic(name), limited: this.limited(name) }]
    })
    return { elders: this.elders, services: Object.fromEntries(about) }
  }

  /** Processes that were replaced and still end what they have. */
  get elders(): number {
    return this.elder === null || this.elder.isGone ? 0 : this.elder.elders + 1
  }

  private traffic(name: string): InstanceTraffic[] {
    const own = [...(this.services.get(name)?.traffic() ?? []), ...(this.leaving.get(name)?.traffic() ?? [])]
    return addTraffic(own, this.elder?.trafficOf(name) ?? [])
  }

  private limited(name: string): Limited | null {
    const own = this.services.get(name)?.limited ?? null
    const before = this.elder?.limitedOf(name) ?? null
    if (own === null || before === null) return own
    return { requests: own.requests + before.requests, rate: own.rate + before.rate }
  }
}
