import { isDeepStrictEqual } from 'node:util'
import type { ReleaseCounters } from '../core/shared/counters.ts'
import type { OutlierPolicy } from '../core/shared/request-policy.ts'
import type { LiveInstance } from './instance.ts'
import { type InstanceFailure, Outliers } from './outliers.ts'
import { warmth } from './slow-start.ts'
import { type Random, seededRandom } from './split.ts'

/** A draw between 0 and 1 in steps of this many: finer than any share that matters. */
const DRAW_STEPS = 2 ** 30

type Tried = readonly LiveInstance[] | null
type LiveSetOptions = { now?: () => number; wallNow?: () => number; random?: Random }
export type Upkeep = { slowStartMs: number; outlier?: OutlierPolicy | undefined }

/** The active instances of one release, and who is next. Outlives a change of routes: requests under way see the new instances. */
export class LiveSet {
  readonly release: string
  readonly counters: ReleaseCounters
  private active: readonly LiveInstance[] = []
  /** The active ones without those that are left out. */
  private open: readonly LiveInstance[] = []
  private full: readonly LiveInstance[] = []
  private warming: readonly LiveInstance[] = []
  private slowStartMs = 0
  private cursor = 0
  private policy: OutlierPolicy | null = null
  private outliers: Outliers<LiveInstance> | null = null
  /** Ejections since the data plane started, whatever became of the policy. */
  private ended = 0
  private readonly now: () => number
  private readonly wallNow: () => number
  private readonly random: Random

  constructor(
    release: string,
    active: readonly LiveInstance[],
    counters: ReleaseCounters,
    { now = () => performance.now(), wallNow = Date.now, random = seededRandom() }: LiveSetOptions = {},
  ) {
    this.release = release
    this.counters = counters
    this.now = now
    this.wallNow = wallNow
    this.random = random
    this.take(active, { slowStartMs: 0 })
  }

  /** These instances take the requests from now on. */
  take(active: readonly LiveInstance[], { slowStartMs, outlier }: Upkeep): void {
    this.active = active
    this.slowStartMs = slowStartMs
    this.takePolicy(outlier ?? null)
    this.outliers?.take(active)
    this.reopen()
  }

  /** An instance answered a user. */
  passed(instance: LiveInstance): void {
    if (this.outliers?.passed(instance) === true) this.reopen()
  }

  /** An instance failed a user. */
  failed(instance: LiveInstance, failure: InstanceFailure): void {
    if (this.outliers?.failed(instance, failure) === true) this.reopen()
  }

  get ejections(): number {
    return this.ended + (this.outliers?.ejections ?? 0)
  }

  /**
   * The instance of the next request; `null` when all were tried. One that is left out is asked when its time has come,
   * and when nobody else is left: no request fails because of an ejection.
   */
  choose(tried: Tried): LiveInstance | null {
    if (this.outliers?.isAnyAway !== true) return this.chooseOpen(tried)
    return this.outliers.onTrial(tried) ?? this.chooseOpen(tried) ?? this.leastBusy(tried, this.active)
  }

  /** The least busy one; but one that warms up is drawn by its weight, and passed over while it is busier than a full one. */
  private chooseOpen(tried: Tried): LiveInstance | null {
    if (this.warming.length === 0) return this.leastBusy(tried)
    const now = this.now()
    this.sortByWarmth(now)
    const cold = untried(this.warming, tried)
    const full = untried(this.full, tried)
    const drawn = this.draw(cold, full.length, now)
    const relief = this.leastBusy(tried, full)
    if (drawn === null) return relief
    return relief !== null && relief.works.size < drawn.works.size ? relief : drawn
  }

  /** The instance with least in flight, ties round robin; `null` when all were tried. */
  leastBusy(tried: Tried, among: readonly LiveInstance[] = this.open): LiveInstance | null {
    let best: LiveInstance | null = null
    for (let step = 0; step < among.length; step += 1) {
      const instance = among[(this.cursor + step) % among.length]
      if (instance === undefined || tried?.includes(instance)) continue
      if (best === null || instance.works.size < best.works.size) best = instance
      if (best.works.size === 0) break
    }
    if (best !== null) this.cursor = (among.indexOf(best) + 1) % among.length
    return best
  }

  /** One of the cold instances with the chance of its weight, or `null`: a full one, each of which weighs 1. */
  private draw(cold: readonly LiveInstance[], full: number, now: number): LiveInstance | null {
    const weights = cold.map((instance) => this.warmthOf(instance, now))
    const total = weights.reduce((sum, weight) => sum + weight, full)
    let point = (this.random(DRAW_STEPS) / DRAW_STEPS) * total
    for (const [at, instance] of cold.entries()) {
      point -= weights[at] ?? 0
      if (point < 0) return instance
    }
    return full > 0 ? null : (cold.at(-1) ?? null)
  }

  /** The same policy goes on over changes of routes. */
  private takePolicy(policy: OutlierPolicy | null): void {
    if (isDeepStrictEqual(policy, this.policy)) return
    this.ended = this.ejections
    this.outliers?.end()
    this.policy = policy
    this.outliers = policy === null ? null : new Outliers(policy, { now: this.now, wallNow: this.wallNow })
  }

  private reopen(): void {
    this.open = this.outliers?.open ?? this.active
    this.sortByWarmth(this.now())
  }

  private sortByWarmth(now: number): void {
    const isFull = (instance: LiveInstance) => this.warmthOf(instance, now) === 1
    this.full = this.open.filter(isFull)
    this.warming = this.open.filter((instance) => !isFull(instance))
  }

  private warmthOf({ warmingSince }: LiveInstance, now: number): number {
    return warmingSince === null ? 1 : warmth(now - warmingSince, this.slowStartMs)
  }
}

const untried = (instances: readonly LiveInstance[], tried: Tried): readonly LiveInstance[] =>
  tried === null ? instances : instances.filter((instance) => !tried.includes(instance))
