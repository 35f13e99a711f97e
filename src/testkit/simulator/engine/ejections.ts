import type { Ejection } from '../../../core/shared/ejection.ts'
import type { InstanceTraffic } from '../../../core/shared/router-state.ts'
import type { RouteSet } from '../../../core/shared/routes.ts'

/** An instance that is tried again fails again, and is out for another time. */
const AGAIN_MS = 700
/** As often as that in a row it tells something. */
const TELLING_TIMES = 2

/** Instances that a data plane leaves out, because they fail users. */
export type Ejections = {
  /** Up to half of the active instances of this release, or of each. */
  begin(sets: readonly RouteSet[], release: string | null): void
  end(): void
  /** What the data plane says of its instances. */
  shown(instances: InstanceTraffic[], stable: string | null): InstanceTraffic[]
  /** Somebody was told that it fails again and again, and nothing of stable beside it. */
  wasAlone(id: string): boolean
}

export function createEjections(now: () => number): Ejections {
  const since = new Map<string, number>()
  const alone = new Set<string>()

  function ejectionOf(id: string): Ejection | null {
    const begun = since.get(id)
    if (begun === undefined) return null
    const times = 1 + Math.floor((now() - begun) / AGAIN_MS)
    return { since: begun, until: begun + times * AGAIN_MS, times, why: 'it answered 5xx 5 times in a row' }
  }

  return {
    begin: (sets, release) => {
      for (const set of sets) {
        const active = set.instances.filter(({ state }) => state === 'active')
        if (release !== null && set.release !== release) continue
        for (const { id } of active.slice(0, Math.floor(active.length / 2))) since.set(id, now())
      }
    },
    end: () => since.clear(),
    shown: (instances, stable) => {
      if (since.size === 0) return instances
      const told = instances.map((one) => {
        const ejected = one.drain === null ? ejectionOf(one.id) : null
        return ejected === null ? one : { ...one, ejected }
      })
      const out = told.filter(({ ejected }) => ejected !== undefined)
      if (out.every(({ release }) => release !== stable))
        for (const { id, ejected } of out) if ((ejected?.times ?? 0) >= TELLING_TIMES) alone.add(id)
      return told
    },
    wasAlone: (id) => alone.has(id),
  }
}
