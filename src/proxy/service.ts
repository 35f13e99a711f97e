import type { IncomingMessage } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import type { InstanceTraffic, RouterState } from '../core/shared/router-state.ts'
import type { DrainLimits, RouteSet, ServiceRoutes } from '../core/shared/routes.ts'
import type { ServiceCounts } from '../core/shared/traffic-counts.ts'
import { TOTAL_PERMILLE } from '../core/shared/weight.ts'
import { ServiceCounters } from './counts.ts'
import { Goals } from './goals.ts'
import { instanceKey, LiveInstance } from './instance.ts'
import { DRAIN_REPORT_MS, DRAIN_REPORTS, type Limits } from './limits.ts'
import type { Listener } from './listener.ts'
import { LiveSet } from './live-set.ts'
import type { PreviewDoor } from './preview-door.ts'
import type { HeadRules } from './request-head.ts'
import { type Aside, Side } from './side.ts'
import { carrying, newcomers } from './slow-start.ts'
import { Split } from './split.ts'

export type Reverted = NonNullable<RouterState['reverted']>

/** What every service of this process shares. */
export type ServiceOptions = { limits: Limits; trustForwarded: boolean }

/** One service in force: its routes, the instances behind them, who is next, and the counters. */
export class Service {
  readonly name: string
  readonly counters = new ServiceCounters()
  /** Of requests that are no live traffic, or no fair sample of it. */
  readonly apart = { preview: new ServiceCounters(), rule: new ServiceCounters() }
  readonly limits: Limits
  readonly rules: HeadRules
  listener: Listener | null = null
  preview: PreviewDoor | null = null
  routes: ServiceRoutes | null = null
  reverted: Reverted | null = null
  private sets: readonly RouteSet[] = []
  private live: readonly LiveSet[] = []
  private split: Split | null = null
  private probeSplit: Split | null = null
  private side: Side | null = null
  private goals: Goals | null = null
  private sideSince = 0
  private instances = new Map<string, LiveInstance>()
  private readonly retiring = new Set<LiveInstance>()
  private finished: { at: number; traffic: InstanceTraffic }[] = []

  constructor(name: string, { limits, trustForwarded }: ServiceOptions) {
    this.name = name
    this.limits = limits
    this.rules = { probeKey: '', headerCount: limits.headerCount, trustForwarded }
  }

  /** Puts routes in force: the very next request follows them. */
  apply(routes: ServiceRoutes, reverted: Reverted | null): void {
    const [before, old] = [this.sets, this.routes]
    this.routes = routes
    this.reverted = reverted
    this.rules.probeKey = routes.probeKey
    this.sets = reverted === null ? routes.sets : allToStable(routes)
    this.takeInstances(routes.drain)
    this.beginSlowStarts(before)
    this.live = this.sets.map((set) => this.liveSet(set, routes.slowStartMs))
    if (!sameWeights(before, this.sets) || this.split === null) this.deal()
    this.takeSide(old, routes)
    const inUse = new Set(this.sets.map((set) => set.release))
    for (const counters of [this.counters, this.apart.preview, this.apart.rule]) counters.forgetExcept(inUse)
  }

  /** What decides about this request before the weights do; `null` when nothing does. */
  aside(req: IncomingMessage): Aside | null {
    return this.side === null ? null : this.side.of(req)
  }

  /** The set of this release, where it can take a request. */
  setOf(release: string): LiveSet | null {
    return this.live.find((set) => set.release === release) ?? null
  }

  /** The set of the next request; `null` when the service has none. Probes have a deal of their own: they must not skew the split. */
  pick(probe: boolean): LiveSet | null {
    const split = probe ? this.probeSplit : this.split
    return split === null ? null : (this.live[split.next()] ?? null)
  }

  countsReport(boot: string): ServiceCounts {
    const apart = (['preview', 'rule'] as const).flatMap((by) => this.apart[by].totals(by))
    const variants = this.goals?.report()
    return {
      ...this.counters.report(this.name, boot),
      ...(apart.length === 0 ? {} : { apart }),
      ...(variants === undefined ? {} : { variants }),
    }
  }

  /** Drains everything, for good. */
  retire(limits: DrainLimits): void {
    this.live = []
    this.split = null
    this.probeSplit = null
    this.side = null
    for (const instance of this.instances.values()) this.retireInstance(instance, limits)
    this.instances.clear()
  }

  /** Drains what is there, for a shutdown: requests that come after this are still served until the limits cut them. */
  drainAll(limits: DrainLimits): void {
    for (const instance of this.instances.values()) instance.startDrain(limits)
  }

  /** Ends all connections to instances. */
  destroy(): void {
    for (const instance of [...this.instances.values(), ...this.retiring]) instance.destroy()
  }

  /** No instance has anything left to do. */
  get idle(): boolean {
    return (
      this.retiring.size === 0 && [...this.instances.values()].every((instance) => instance.works.size === 0)
    )
  }

  get setsInForce(): readonly RouteSet[] {
    return this.sets
  }

  traffic(): InstanceTraffic[] {
    const limit = Date.now() - DRAIN_REPORT_MS
    this.finished = this.finished.filter(({ at }) => at > limit)
    const live = [...this.instances.values(), ...this.retiring].map((instance) => instance.traffic())
    return [...live, ...this.finished.map(({ traffic }) => traffic)]
  }

  sweep(now: number): void {
    for (const instance of this.instances.values()) for (const work of instance.works) work.sweep(now)
    for (const instance of this.retiring) for (const work of instance.works) work.sweep(now)
  }

  private takeInstances(limits: DrainLimits): void {
    const before = this.instances
    this.instances = new Map()
    for (const set of this.sets) {
      for (const entry of set.instances) {
        const key = instanceKey(set.release, entry)
        const instance = before.get(key) ?? new LiveInstance(set.release, entry, this.limits)
        before.delete(key)
        this.instances.set(key, instance)
        if (entry.state === 'active') instance.cancelDrain()
        else instance.startDrain(limits)
      }
    }
    for (const gone of before.values()) this.retireInstance(gone, limits)
  }

  /** Traffic that went back to stable by itself is under no rule any more, and its weights leave no user with the candidate. */
  private takeSide(old: ServiceRoutes | null, { rules: all, sticky }: ServiceRoutes): void {
    const rules = this.reverted === null ? all : []
    if (!isDeepStrictEqual(old?.sticky ?? null, sticky)) this.sideSince = performance.now()
    const { trustForwarded } = this.rules
    this.goals = goalsFor(sticky, this.goals)
    this.side =
      rules.length === 0 && sticky === null
        ? null
        : new Side(
            { rules, sticky },
            {
              sets: this.sets,
              trustForwarded,
              since: this.sideSince,
              goals: this.goals,
            },
          )
  }

  private beginSlowStarts(before: readonly RouteSet[]): void {
    const now = performance.now()
    const known = new Set(before.flatMap(carrying))
    const begin = newcomers(before, this.sets)
    for (const [key, instance] of this.instances) {
      if (begin.has(key)) instance.warmingSince = now
      else if (!known.has(key)) instance.warmingSince = null
    }
  }

  private retireInstance(instance: LiveInstance, limits: DrainLimits): void {
    this.retiring.add(instance)
    instance.startDrain(limits).onceDone(() => this.retired(instance))
  }

  private retired(instance: LiveInstance): void {
    if (!this.retiring.delete(instance)) return
    this.finished.push({ at: Date.now(), traffic: instance.traffic() })
    if (this.finished.length > DRAIN_REPORTS) this.finished.shift()
    instance.destroy()
  }

  private liveSet({ release, instances }: RouteSet, slowStartMs: number): LiveSet {
    const active = instances.flatMap((entry) => {
      const instance = this.instances.get(instanceKey(release, entry))
      return entry.state === 'active' && instance !== undefined ? [instance] : []
    })
    const known = this.live.find((set) => set.release === release)
    const set = known ?? new LiveSet(release, [], this.counters.release(release))
    // A set that only drains gets nothing new; what it has may still move on to the instances it had.
    if (active.length > 0) set.take(active, slowStartMs)
    return set
  }

  private deal(): void {
    const weights = this.sets.map((set) => set.weightPermille)
    this.split = weights.length === 0 ? null : new Split(weights)
    this.probeSplit = weights.length === 0 ? null : new Split(weights)
  }
}

/** One test goes on over changes of routes; the next one counts from zero. */
function goalsFor(sticky: ServiceRoutes['sticky'], before: Goals | null): Goals | null {
  if (sticky?.kind !== 'assign' || sticky.test === undefined) return null
  return before?.salt === sticky.salt ? before : new Goals(sticky.salt, sticky.test)
}

function allToStable({ stable, sets }: ServiceRoutes): RouteSet[] {
  return sets.map((set) => ({ ...set, weightPermille: set.release === stable ? TOTAL_PERMILLE : 0 }))
}

function sameWeights(before: readonly RouteSet[], after: readonly RouteSet[]): boolean {
  if (before.length !== after.length) return false
  return before.every(
    (set, at) => set.release === after[at]?.release && set.weightPermille === after[at].weightPermille,
  )
}
