import type { CutRequest } from '../../../core/shared/router-state.ts'
import type { DrainLimits } from '../../../core/shared/routes.ts'
import { entryOf } from '../../tools/fenced-routes.ts'
import { cutDrain, endedDrain, type KeptDrain, keyOf } from '../../tools/kept-drains.ts'
import { type Connection, endpointOf } from './connections.ts'
import type { NginxKept } from './kept.ts'

/** What is at an address that workers are connected to. `since`: when its drain began; `null` while it does not drain. */
export type Place = { service: string; release: string; since: number | null; limits: DrainLimits }

/** A client that has no request yet has this long to send one (`client_header_timeout`). */
const HEADERS_MS = 10_000

/** All instances that requests may be at, by their address. What drains counts before what came to its address later. */
export function placesOf({ services, drains }: NginxKept): Map<string, Place> {
  const places = new Map<string, Place>()
  for (const { service, sets, drain } of Object.values(services))
    for (const { release, instances } of sets)
      for (const instance of instances) {
        const endpoint = endpointOf(instance)
        if (endpoint !== null) places.set(endpoint, { service, release, since: null, limits: drain })
      }
  for (const [service, all] of Object.entries(drains))
    for (const { release, instance, since, limits, tookMs } of all) {
      const endpoint = endpointOf(instance)
      if (endpoint === null || (tookMs !== null && places.has(endpoint))) continue
      places.set(endpoint, { service, release, since, limits })
    }
  return places
}

/**
 * When an old worker has to end although something is left in it: at the last limit of all that it still does. nginx can
 * end a worker only as a whole, and what one service may finish must not die for another one.
 */
export function deadlineOf(
  connections: readonly Connection[],
  { places, leavingSince }: { places: ReadonlyMap<string, Place>; leavingSince: number },
): number {
  const { atInstances, silent } = sorted(connections, places)
  const ends = atInstances.map(({ place, isKeptAlive }) => {
    const { websocketsMs, requestsMs } = place.limits
    return (place.since ?? leavingSince) + (isKeptAlive ? websocketsMs : requestsMs)
  })
  return Math.max(silent > 0 ? leavingSince + HEADERS_MS : 0, ...ends)
}

/** Nothing of an old worker is at this instance, and no client is left in it that might still be sent there. */
export function isLeft(
  leaving: readonly (readonly Connection[])[],
  { instance }: KeptDrain,
  places: ReadonlyMap<string, Place>,
): boolean {
  const endpoint = endpointOf(instance)
  return leaving.every((connections) => {
    const { atInstances, silent } = sorted(connections, places)
    return silent === 0 && atInstances.every(({ remote }) => remote !== endpoint)
  })
}

/** Each request has a connection to a client and one to an instance; who has more clients than that waits for some. */
function sorted(connections: readonly Connection[], places: ReadonlyMap<string, Place>) {
  const atInstances = connections.flatMap((connection) => {
    const place = places.get(connection.remote)
    return place === undefined ? [] : [{ ...connection, place }]
  })
  const clients = connections.filter(({ remote, isOpen }) => isOpen && !places.has(remote))
  return { atInstances, silent: Math.max(0, clients.length - atInstances.length) }
}

export type Cut = { endpoint: string; place: Place; request: CutRequest }

/** What ends with a worker. nginx tells no paths of what it has not finished. */
export function cutsOf(
  connections: readonly Connection[],
  { places, ageMs }: { places: ReadonlyMap<string, Place>; ageMs: number },
): Cut[] {
  return sorted(connections, places).atInstances.map(({ remote, place, isKeptAlive }) => ({
    endpoint: remote,
    place,
    request: { route: 'unknown', kind: isKeptAlive ? 'websocket' : 'request', ageMs },
  }))
}

/** The drains of all services with what was cut just now, and those ended of whom nothing is left. */
export function drainsNow(
  kept: NginxKept,
  { cuts, ended, now }: { cuts: readonly Cut[]; ended: ReadonlySet<string>; now: number },
): NginxKept {
  const drains = Object.entries(kept.drains).map(([service, all]): [string, KeptDrain[]] => [
    service,
    all.map((drain) => {
      if (drain.tookMs !== null) return drain
      const endpoint = endpointOf(drain.instance)
      const own = cuts.filter((cut) => cut.endpoint === endpoint && cut.place.service === service)
      const cut = cutDrain(
        drain,
        own.map(({ request }) => request),
      )
      return ended.has(drainKey(service, drain)) ? endedDrain(cut, now) : cut
    }),
  ])
  return { ...kept, drains: Object.fromEntries(drains) }
}

export const openDrainsOf = ({ drains }: NginxKept): { service: string; drain: KeptDrain }[] =>
  Object.keys(drains).flatMap((service) =>
    (entryOf(drains, service) ?? []).flatMap((drain) => (drain.tookMs === null ? [{ service, drain }] : [])),
  )

export const drainKey = (service: string, { release, instance }: KeptDrain): string =>
  `${service} ${keyOf(release, instance)}`
