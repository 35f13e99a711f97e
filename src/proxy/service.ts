import type { IncomingMessage } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import { ServiceCounters } from '../core/shared/counters.ts'
import type { MirrorRoute } from '../core/shared/mirror.ts'
import { MirrorCounts } from '../core/shared/mirror-counts.ts'
import type { InstanceTraffic, RouterState } from '../core/shared/router-state.ts'
import type { DrainLimits, RouteSet, ServiceRoutes } from '../core/shared/routes.ts'
import type { ServiceCounts } from '../core/shared/traffic-counts.ts'
import { TOTAL_PERMILLE } from '../core/shared/weight.ts'
import type { AccessFile } from './access-log/access-file.ts'
import { AccessLog } from './access-log/access-log.ts'
import { Admission, type Limited } from './admission.ts'
import type { Entrance } from './entrance.ts'
import { Goals } from './goals.ts'
import type { HeldCertificate, MetricSums } from './handover/messages.ts'
import { instanceKey, LiveInstance } from './instance.ts'
import { DRAIN_REPORT_MS, DRAIN_REPORTS, type Limits } from './limits.ts'
import type { Listener } from './listener.ts'
import { LiveSet, type Upkeep } from './live-set.ts'
import { Mirror } from './mirror/mirror.ts'
import type { PreviewDoor } from './preview-door.ts'
import type { HeadRules } from './request-head.ts'
import { type Aside, Side } from './side.ts'
import { carrying, newcomers } from './slow-start.ts'
import { Split } from './split.ts'
import type { VisitContext } from './visit.ts'
import type { Work } from './work.ts'
import type { Gate } from './workers/gate.ts'

export type Reverted = NonNullable<RouterState['reverted']>

/** What every service of this process shares. */
export type ServiceOptions = {
  limits: Limits
  trustForwarded: boolean
  /** Whoever knows what all processes together let in; absent where this one does. */
  gate?: Gate
  /** Where its access log is written, when there shall be one. */
  accessFileOf?: (service: string) => AccessFile
}

/** One service in force: its routes, the instances behind them, who is next, and the counters. */
export class Service {
  readonly name: string
  readonly counters = new ServiceCounters()
  /** Of requests that are no live traffic, or no fair sample of it. */
  readonly apart = { preview: new ServiceCounters(), rule: new ServiceCounters() }
  /** Those of the data plane, as far as the service has none of its own. */
  limits: Limits
  readonly admission: Admission
  readonly gate: Gate | null
  accessLog: AccessLog | null = null
  readonly rules: HeadRules
  /** Where it takes its traffic; others may be there, too. */
  entrance: Entrance | null = null
  preview: PreviewDoor | null = null
  routes: ServiceRoutes | null = null
  reverted: Reverted | null = null
  private sets: readonly RouteSet[] = []
  private live: readonly LiveSet[] = []
  private split: Split | null = null
  private probeSplit: Split | null = null
  private side: Side | null = null
  mirror: Mirror | null = null
  private goals: Goals | null = null
  private mirrorCounts: MirrorCounts | null = null
  private sideSince = 0
  private instances = new Map<string, LiveInstance>()
  private readonly retiring = new Set<LiveInstance>()
  private readonly options: ServiceOptions
  private finished: { at: number; traffic: InstanceTraffic }[] = []

  constructor(name: string, options: ServiceOptions) {
    const { limits, trustForwarded, gate = null } = options
    this.name = name
    this.options = options
    this.limits = limits
    this.admission = new Admission(name)
    this.gate = gate
    this.rules = { probeKey: '', headerCount: limits.headerCount, trustForwarded }
  }

  /** Puts routes in force: the very next request follows them. */
  apply(routes: ServiceRoutes, reverted: Reverted | null): void {
    const [before, old] = [this.sets, this.routes]
    const inForce = reverted === null ? routes.sets : allToStable(routes)
    this.dropCopies(inForce)
    this.routes = routes
    this.reverted = reverted
    this.rules.probeKey = routes.probeKey
    this.sets = inForce
    this.takePolicy(routes)
    this.takeInstances(routes.drain)
    this.beginSlowStarts(before)
    this.live = this.sets.map((set) => this.liveSet(set, routes))
    if (!sameWeights(before, this.sets) || this.split === null || this.closed !== null) this.deal()
    this.takeSide(old, routes)
    this.takeMirror(reverted === null ? routes.mirror : null)
    const inUse = new Set(this.sets.map((set) => set.release))
    for (const counters of [this.counters, this.apart.preview, this.apart.rule]) counters.forgetExcept(inUse)
  }

  /** Everybody is turned away, as the routes say; stable takes over where no controller has spoken for too long. */
  get closed(): ServiceRoutes['closed'] {
    return this.reverted === null ? (this.routes?.closed ?? null) : null
  }

  /** What limits of its own turned away; `null` where it has none. */
  get limited(): Limited | null {
    return this.admission.isOpen ? null : this.admission.limited
  }

  get listener(): Listener | null {
    return this.entrance?.listener ?? null
  }

  /** What this process shows to clients; `null` without TLS. */
  get certificate(): HeldCertificate | null {
    return this.entrance?.memberOf(this)?.certificate?.held(Date.now()) ?? null
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

  /** A rule sent the request there, or would have. */
  isRuled({ set, counted }: Pick<VisitContext, 'set' | 'counted'>): boolean {
    return counted !== null && counted === this.apart.rule.find(set.release)
  }

  countsReport(boot: string): ServiceCounts {
    const apart = (['preview', 'rule'] as const).flatMap((by) => this.apart[by].totals(by))
    const variants = this.goals?.report()
    const shadow = this.mirrorCounts?.report()
    return {
      ...this.counters.report(this.name, boot),
      ...(apart.length === 0 ? {} : { apart }),
      ...(variants === undefined ? {} : { variants }),
      ...(shadow === undefined ? {} : { shadow }),
    }
  }

  /** Drains everything, for good. */
  retire(limits: DrainLimits): void {
    this.live = []
    this.split = null
    this.probeSplit = null
    this.side = null
    this.takeMirror(null)
    for (const instance of this.instances.values()) this.retireInstance(instance, limits)
    this.instances.clear()
  }

  /** Drains what is there, for a shutdown: requests that come after this are still served until the limits cut them. */
  drainAll(limits: DrainLimits): void {
    this.takeMirror(null)
    for (const instance of this.instances.values()) instance.startDrain(limits)
  }

  /** Everything that is under way. */
  *works(): Generator<Work> {
    for (const { works } of [...this.instances.values(), ...this.retiring]) yield* works
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
    for (const work of this.works()) work.sweep(now)
    this.mirror?.sweep(now)
    this.accessLog?.file.sweep()
  }

  /** Writes the last lines. */
  async closeAccessLog(): Promise<void> {
    await this.accessLog?.file.close()
  }

  /** Of releases in the routes: how long all requests took, and how often instances were left out. */
  metricSums(): MetricSums {
    return Object.fromEntries(
      this.live.map(({ release, ejections }) => [
        release,
        { latencySumMs: this.counters.find(release)?.latencySumMs ?? 0, ejections },
      ]),
    )
  }

  private takePolicy({ limits = {}, accessLog }: ServiceRoutes): void {
    const { limits: ours, trustForwarded, accessFileOf } = this.options
    this.limits = { ...ours, bodyBytes: Math.min(ours.bodyBytes, limits.bodyBytes ?? ours.bodyBytes) }
    this.admission.take(limits)
    const file = this.accessLog?.file ?? (accessLog === undefined ? undefined : accessFileOf?.(this.name))
    if (accessLog === undefined || file === undefined) {
      file?.close().catch(() => undefined)
      this.accessLog = null
      return
    }
    this.accessLog ??= new AccessLog(accessLog, { service: this.name, file, trustForwarded })
    this.accessLog.policy = accessLog
    this.accessLog.versions = new Map(this.sets.map(({ release, version }) => [release, version]))
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

  /** Before instances leave: what they still do for a copy is no fault of their release. */
  private dropCopies(sets: readonly RouteSet[]): void {
    const active = new Set(
      sets.flatMap(({ release, instances }) =>
        instances.flatMap((entry) => (entry.state === 'active' ? [instanceKey(release, entry)] : [])),
      ),
    )
    this.mirror?.letGo((instance) => active.has(instanceKey(instance.release, instance)))
  }

  /** The same copying goes on over changes of routes. One that comes back counts on; another one counts from zero. */
  private takeMirror(route: MirrorRoute | null): void {
    if (isDeepStrictEqual(this.mirror?.route ?? null, route)) return
    this.mirror?.close()
    if (route === null) {
      this.mirror = null
      return
    }
    const { salt, release } = route
    const known = this.mirrorCounts
    this.mirrorCounts =
      known?.salt === salt && known.release === release ? known : new MirrorCounts(salt, release)
    const setOf = (of: string) => this.setOf(of)
    this.mirror = new Mirror(route, { counts: this.mirrorCounts, limits: this.limits, setOf })
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

  private liveSet({ release, instances }: RouteSet, upkeep: Upkeep): LiveSet {
    const active = instances.flatMap((entry) => {
      const instance = this.instances.get(instanceKey(release, entry))
      return entry.state === 'active' && instance !== undefined ? [instance] : []
    })
    const known = this.live.find((set) => set.release === release)
    const set = known ?? new LiveSet(release, [], this.counters.release(release))
    // A set that only drains gets nothing new; what it has may still move on to the instances it had.
    if (active.length > 0) set.take(active, upkeep)
    return set
  }

  private deal(): void {
    if (this.closed !== null) {
      this.split = null
      this.probeSplit = null
      return
    }
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
