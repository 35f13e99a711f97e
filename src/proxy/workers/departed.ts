import type { InstanceTraffic } from '../../core/shared/router-state.ts'
import type { ServiceCounts } from '../../core/shared/traffic-counts.ts'
import type { Limited } from '../admission.ts'
import { addCounts, keepCounted } from '../handover/add-counts.ts'
import { addLimited, addSums } from '../handover/add-told.ts'
import type { Follower } from '../handover/follower.ts'
import type { MetricSums } from '../handover/messages.ts'
import { COUNTED_RELEASES, DRAIN_REPORT_MS, DRAIN_REPORTS } from '../limits.ts'

/** Releases of a service that are in its routes. */
export type InUse = (service: string) => ReadonlySet<string>

type Sum = { counts: ServiceCounts | null; limited: Limited | null; sums: MetricSums }

/**
 * What workers told that are gone. One that was killed told its numbers a moment before; what it had under way then is in
 * none of them and never will be, and is counted as `missing`.
 */
export class Departed {
  private readonly sums = new Map<string, Sum>()
  private drains: { at: number; service: string; traffic: InstanceTraffic }[] = []
  private readonly inUse: InUse

  constructor(inUse: InUse) {
    this.inUse = inUse
  }

  take(worker: Follower): void {
    for (const service of worker.services) {
      const counts = worker.countsOf(service)
      const missing = worker.inFlightOf(service)
      const known = this.sums.get(service) ?? { counts: null, limited: null, sums: {} }
      const sum = add(known.counts, counts === null || missing === 0 ? counts : withMissing(counts, missing))
      this.sums.set(service, {
        // The oldest are forgotten first, so that workers that come and go for years do not pile them up.
        counts: sum === null ? null : keepCounted(sum, this.inUse(service), COUNTED_RELEASES),
        limited: addLimited(known.limited, worker.limitedOf(service)),
        sums: ofThose(sum, addSums(known.sums, worker.sumsOf(service))),
      })
      for (const traffic of worker.trafficOf(service))
        if (traffic.drain?.done === true) this.drains.push({ at: performance.now(), service, traffic })
    }
    this.drains = this.drains.slice(-DRAIN_REPORTS)
  }

  countsOf(service: string): ServiceCounts | null {
    return this.sums.get(service)?.counts ?? null
  }

  limitedOf(service: string): Limited | null {
    return this.sums.get(service)?.limited ?? null
  }

  sumsOf(service: string): MetricSums {
    return this.sums.get(service)?.sums ?? {}
  }

  trafficOf(service: string): readonly InstanceTraffic[] {
    const limit = performance.now() - DRAIN_REPORT_MS
    this.drains = this.drains.filter(({ at }) => at > limit)
    return this.drains.flatMap((one) => (one.service === service ? [one.traffic] : []))
  }

  get services(): string[] {
    return [...new Set([...this.sums.keys(), ...this.drains.map(({ service }) => service)])]
  }

  /** The service has no routes any more: one of the same name counts from zero. */
  forget(service: string): void {
    this.sums.delete(service)
  }
}

const ofThose = (counts: ServiceCounts | null, sums: MetricSums): MetricSums =>
  Object.fromEntries(
    Object.entries(sums).filter(([id]) => counts?.releases.some(({ release }) => release === id) === true),
  )

function add(sum: ServiceCounts | null, counts: ServiceCounts | null): ServiceCounts | null {
  return sum === null || counts === null ? (sum ?? counts) : addCounts(counts, sum)
}

const withMissing = (counts: ServiceCounts, missing: number): ServiceCounts => ({
  ...counts,
  missing: (counts.missing ?? 0) + missing,
})
