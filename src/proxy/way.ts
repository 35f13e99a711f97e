import type { IncomingMessage } from 'node:http'
import type { ServiceCounters } from '../core/shared/counters.ts'
import type { Copied } from './copied.ts'
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
  /** Who hears of this request because it is copied to a shadow. */
  copied(service: Service, context: VisitContext, req: IncomingMessage, head: Head): Copied | null
}

/** The address of the service: live traffic. */
export const LIVE: Way = {
  choose(service, listener, req, head) {
    const { probe } = head
    if (service.closed !== null) return null
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
    if (service.closed !== null) {
      if (!probe) service.counters.closed += 1
      return closed(service.name, service.closed.retryAfterS)
    }
    if (!probe) service.counters.unroutable += 1
    return noInstance(`${service.name} has no instance that takes requests.`)
  },
  countersOf: ({ counters }) => counters,
  copied({ mirror }, { set, counted }, req, head) {
    // What is not counted is no live traffic.
    return mirror === null || counted === null ? null : mirror.copyOf(req, head, set.release)
  },
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
  copied: () => null,
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
    copied: null,
    entry: null,
    extra: probe ? ['sluice-release', set.release] : null,
  }
}

function toRelease(service: Service, listener: Listener, release: string): VisitContext | null {
  const set = service.setOf(release)
  const instance = set?.choose(null) ?? null
  if (set === null || instance === null) return null
  const { counters, limits } = service
  return {
    set,
    instance,
    counters,
    limits,
    door: listener,
    counted: set.counters,
    goal: null,
    copied: null,
    entry: null,
    extra: null,
  }
}

const ruled = ({ apart }: Service, { set }: VisitContext) => apart.rule.release(set.release)

const closed = (name: string, retryAfterS: number): Refusal => ({
  ...refusal(
    503,
    'SERVICE_CLOSED',
    `${name} is closed while its version is exchanged: the old one stops before the new one starts.`,
    `Come back in ${retryAfterS} ${retryAfterS === 1 ? 'second' : 'seconds'}.`,
  ),
  retryAfterS,
})

const noInstance = (message: string): Refusal =>
  refusal(503, 'NO_INSTANCE', message, 'Try again in a second.')
