import type { ReleaseCounters } from './counts.ts'
import type { LiveInstance } from './instance.ts'

/** The active instances of one release, and who is next. */
export class LiveSet {
  readonly release: string
  readonly counters: ReleaseCounters
  readonly active: readonly LiveInstance[]
  private cursor = 0

  constructor(release: string, active: readonly LiveInstance[], counters: ReleaseCounters) {
    this.release = release
    this.active = active
    this.counters = counters
  }

  /** The instance with least in flight, ties round robin; `null` when all were tried. */
  leastBusy(tried: readonly LiveInstance[] | null): LiveInstance | null {
    const { active } = this
    let best: LiveInstance | null = null
    for (let step = 0; step < active.length; step += 1) {
      const instance = active[(this.cursor + step) % active.length]
      if (instance === undefined || tried?.includes(instance)) continue
      if (best === null || instance.works.size < best.works.size) best = instance
      if (best.works.size === 0) break
    }
    if (best !== null) this.cursor = (active.indexOf(best) + 1) % active.length
    return best
  }
}
