import type { ReleaseCounters } from './counts.ts'
import type { LiveInstance } from './instance.ts'
import { warmth } from './slow-start.ts'
import { type Random, seededRandom } from './split.ts'

/** A draw between 0 and 1 in steps of this many: finer than any share that matters. */
const DRAW_STEPS = 2 ** 30

type Tried = readonly LiveInstance[] | null
type LiveSetOptions = { now?: () => number; random?: Random }

/** The active instances of one release, and who is next. Outlives a change of routes: requests under way see the new instances. */
export class LiveSet {
  readonly release: string
  readonly counters: ReleaseCounters
  private active: readonly LiveInstance[] = []
  private full: readonly LiveInstance[] = []
  private warming: readonly LiveInstance[] = []
  private slowStartMs = 0
  private cursor = 0
  private readonly now: () => number
  private readonly random: Random

  constructor(
    release: string,
    active: readonly LiveInstance[],
    counters: ReleaseCounters,
    { now = () => performance.now(), random = seededRandom() }: LiveSetOptions = {},
  ) {
    this.release = release
    this.counters = counters
    this.now = now
    this.random = random
    this.take(active, 0)
  }

  /** These instances take the requests from now on. */
  take(active: readonly LiveInstance[], slowStartMs: number): void {
    this.active = active
    this.slowStartMs = slowStartMs
    this.sortByWarmth(this.now())
  }

  /**
   * The instance of the next request; `null` when all were tried. The least busy one; but one that warms up is drawn by
   * its weight, and passed over while it is busier than a full one.
   */
  choose(tried: Tried): LiveInstance | null {
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
  leastBusy(tried: Tried, among: readonly LiveInstance[] = this.active): LiveInstance | null {
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

  private sortByWarmth(now: number): void {
    const isFull = (instance: LiveInstance) => this.warmthOf(instance, now) === 1
    this.full = this.active.filter(isFull)
    this.warming = this.active.filter((instance) => !isFull(instance))
  }

  private warmthOf({ warmingSince }: LiveInstance, now: number): number {
    return warmingSince === null ? 1 : warmth(now - warmingSince, this.slowStartMs)
  }
}

const untried = (instances: readonly LiveInstance[], tried: Tried): readonly LiveInstance[] =>
  tried === null ? instances : instances.filter((instance) => !tried.includes(instance))
