import type { IncomingMessage } from 'node:http'
import type { ServiceCounters } from './counts.ts'
import type { Listener } from './listener.ts'
import { type Refusal, refusal } from './refusal.ts'
import type { Head } from './request-head.ts'
import type { Service } from './service.ts'
import type { VisitContext } from './visit.ts'

/** Through which door a request came: who is chosen for it, and where it counts. */
export type Way = {
  choose(service: Service, listener: Listener, req: IncomingMessage, head: Head): VisitContext | null
  noInstance(service: Service, head: Head): Refusal
  countersOf(service: Service): ServiceCounters
}

/** The address of the service: live traffic. */
export const LIVE: Way = {
  choose(service, listener, req, head) {
    const { probe } = head
    const aside = probe ? null : service.aside(req)
    if (aside !== null) {
      const { isRuled, extra, goal } = aside
      const special = aside.release === null ? null : toRelease(service, listener, aside.release)
      if (special !== null) {
        if (aside.variant !== null) head.headers.push('sluice-variant', aside.variant)
        return { ...special, extra, goal, counted: isRuled ? ruled(service, special) : special.set.counters }
      }
      const dealt = byWeight(service, listener, false)
      return dealt === null ? null : { ...dealt, extra: isRuled ? null : extra }
    }
    return byWeight(service, listener, probe)
  },
  noInstance(service, { probe }) {
    if (!probe) service.counters.unroutable += 1
    return noInstance(`${service.name} has no instance that takes requests.`)
  },
  countersOf: ({ counters }) => counters,
}

/** The preview address: one release, whatever its weight, and nothing of it is live traffic. */
export const PREVIEW: Way = {
  choose(service, listener, _, { probe }) {
    const release = service.routes?.preview?.release ?? null
    const chosen = release === null ? null : toRelease(service, listener, release)
    if (chosen === null || release === null) return null
    const counters = service.apart.preview
    const counted = probe ? null : counters.release(release)
    return { ...chosen, counters, counted, extra: ['sluice-release', release] }
  },
  noInstance: ({ name }) =>
    noInstance(`${name} has no release to show: neither the candidate nor stable has a ready instance.`),
  countersOf: ({ apart }) => apart.preview,
}

function byWeight(service: Service, listener: Listener, probe: boolean): VisitContext | null {
  const set = service.pick(probe)
  const instance = set?.choose(null) ?? null
  if (set === null || instance === null) return null
  return {
    set,
    instance,
    counters: service.counters,
    limits: service.limits,
    door: listener,
    counted: probe ? null : set.counters,
    goal: null,
    extra: probe ? ['sluice-release', set.release] : null,
  }
}

function toRelease(service: Service, listener: Listener, release: string): VisitContext | null {
  const set = service.setOf(release)
  const instance = set?.choose(null) ?? null
  if (set === null || instance === null) return null
  const { counters, limits } = service
  return { set, instance, counters, limits, door: listener, counted: set.counters, goal: null, extra: null }
}

const ruled = ({ apart }: Service, { set }: VisitContext) => apart.rule.release(set.release)

const noInstance = (message: string): Refusal =>
  refusal(503, 'NO_INSTANCE', message, 'Try again in a second.')
