import type { InstanceTraffic } from '../core/shared/router-state.ts'
import type { ServiceCounts } from '../core/shared/traffic-counts.ts'
import type { Limited } from './admission.ts'
import { addCounts } from './handover/add-counts.ts'
import { addLimited, addSums, worseCertificate } from './handover/add-told.ts'
import { addTraffic } from './handover/add-traffic.ts'
import type { Follower } from './handover/follower.ts'
import type { Change, HeldCertificate, MetricSums } from './handover/messages.ts'
import { Departed, type InUse } from './workers/departed.ts'

/**
 * All other processes that serve by the routes of this one: the one that served before, until it is gone, and the workers.
 * What they told is added to what is ours; a change is in force when all of them follow it.
 */
export class Followers {
  elder: Follower | null = null
  private readonly workers = new Set<Follower>()
  private readonly departed: Departed

  constructor(inUse: InUse) {
    this.departed = new Departed(inUse)
  }

  add(worker: Follower): void {
    this.workers.add(worker)
  }

  /** It is gone; what it told stays counted. */
  dismiss(worker: Follower): void {
    if (this.workers.delete(worker)) this.departed.take(worker)
  }

  /** The first one that does not follow the change in time; `null` when all do. */
  async tell(change: Change): Promise<Follower | null> {
    return await firstNot(this.all, (one) => one.tell(change))
  }

  /** The first one that does not follow everything that it was told; `null` when all do. */
  async late(): Promise<Follower | null> {
    return await firstNot(this.all, (one) => one.follows())
  }

  /** Workers tell their numbers of the service as of now. The first one that does not; `null` when all did. */
  async look(service: string): Promise<Follower | null> {
    return await firstNot([...this.workers], (one) => one.tell({ kind: 'look', service }))
  }

  forget(service: string): void {
    for (const one of [...this.all, this.departed]) one.forget(service)
  }

  sweep(now: number): void {
    for (const one of this.all) one.sweep(now)
  }

  /** Services that others do or did something for. */
  get services(): string[] {
    return this.told.flatMap(({ services }) => services)
  }

  addCounts(own: ServiceCounts, service: string): ServiceCounts {
    return this.told.reduce((sum, one) => {
      const counts = one.countsOf(service)
      return counts === null ? sum : addCounts(sum, counts)
    }, own)
  }

  addTraffic(own: InstanceTraffic[], service: string): InstanceTraffic[] {
    return this.told.reduce((sum, one) => addTraffic(sum, one.trafficOf(service)), own)
  }

  addLimited(own: Limited, service: string): Limited {
    return this.told.reduce((sum, one) => addLimited(sum, one.limitedOf(service)) ?? sum, own)
  }

  addSums(own: MetricSums, service: string): MetricSums {
    return this.told.reduce((sum, one) => addSums(sum, one.sumsOf(service)), own)
  }

  /** What is shown everywhere, or by the one that is behind. Workers alone: who served before meets no new client. */
  worstCertificate(own: HeldCertificate, service: string): HeldCertificate {
    return [...this.workers].reduce((worst, worker) => {
      const held = worker.certificateOf(service)
      return held === null ? worst : worseCertificate(worst, held)
    }, own)
  }

  private get all(): Follower[] {
    return [...(this.elder === null ? [] : [this.elder]), ...this.workers]
  }

  private get told(): (Follower | Departed)[] {
    return [...this.all, this.departed]
  }
}

async function firstNot(
  all: readonly Follower[],
  does: (one: Follower) => Promise<boolean>,
): Promise<Follower | null> {
  const done = await Promise.all(all.map(does))
  return all.find((_, at) => done[at] === false) ?? null
}
