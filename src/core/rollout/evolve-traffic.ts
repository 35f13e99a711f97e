import type { RouterName } from '../shared/router-ability.ts'
import type { Event, EventOf } from './event.ts'
import { afterHearing, lettingGo, watchedFrom } from './former-router.ts'
import { servingRouters, toldTo } from './router-in.ts'
import type { Drift, ServiceState, ShownRoutes, TrafficState } from './state.ts'

/** Foreign weights that came back longer ago than this are another story. */
export const FIGHT_WITHIN_MS = 15 * 60_000

const TRAFFIC = [
  'weights-decided',
  'routes-decided',
  'routes-shown',
  'routes-confirmed',
  'routes-drifted',
  'drift-settled',
  'router-left',
  'former-router-seen',
] as const satisfies Event['kind'][]
export type TrafficEvent = EventOf<(typeof TRAFFIC)[number]>

export const isTrafficEvent = (event: Event): event is TrafficEvent =>
  TRAFFIC.some((kind) => kind === event.kind)

export function evolveTraffic(state: ServiceState, event: TrafficEvent): ServiceState {
  const { traffic } = state
  switch (event.kind) {
    case 'weights-decided':
      return {
        ...state,
        traffic: { ...traffic, weights: event.weights, closed: event.closed ?? null },
        rollout: state.rollout === null ? null : { ...state.rollout, reason: event.reason },
      }
    case 'routes-decided':
      return {
        ...state,
        sequence: event.sequence,
        traffic: {
          ...traffic,
          routes: event.routes,
          side: event.side,
          sequence: event.sequence,
          ...routersAfter(traffic, event),
        },
      }
    case 'routes-shown':
      return { ...state, traffic: { ...traffic, shown: event.shown } }
    case 'router-left':
      return {
        ...state,
        traffic: {
          ...traffic,
          left: traffic.left.filter((one) => one !== event.router),
          former: lettingGo(event, traffic),
        },
      }
    case 'former-router-seen':
      return { ...state, traffic: { ...traffic, former: afterHearing(event, traffic) } }
    case 'routes-confirmed':
      return {
        ...state,
        traffic: {
          ...traffic,
          confirmed: { ...confirmationOf(event), since: confirmedSince(traffic.confirmed, event) },
          former: watchedFrom(event.at, traffic),
          shown: shownByAll(traffic, event.weights),
        },
      }
    case 'routes-drifted':
      return {
        ...state,
        traffic: { ...traffic, confirmed: null, shown: shownAfterDrift(traffic, event) },
        drift: driftAfter(state, event),
      }
    case 'drift-settled':
      return { ...state, drift: null }
  }
}

type Routers = Pick<TrafficState, 'router' | 'also' | 'left' | 'former' | 'told' | 'shown'>

/** Who has the routes now, who of them had these already, and who had others before. */
function routersAfter(
  traffic: TrafficState,
  { router, also = [], only }: EventOf<'routes-decided'>,
): Routers {
  const now = [router, ...also]
  const has = (one: RouterName): boolean => only !== undefined && one !== only
  return {
    router,
    also,
    left: leftAfter(traffic, now),
    former: traffic.former.filter((one) => !now.includes(one.router)),
    told: Object.fromEntries(now.filter(has).map((one) => [one, toldTo(traffic, one)])),
    shown:
      also.length === 0
        ? []
        : traffic.shown
            .filter((one) => now.includes(one.router))
            .map((one) => ({ ...one, took: one.took && has(one.router) })),
  }
}

/** Whoever served before still has the routes; one that serves again has not left after all. */
const leftAfter = (traffic: TrafficState, now: readonly RouterName[]): RouterName[] => {
  const { left, sequence } = traffic
  return sequence === 0
    ? left
    : [...new Set([...left, ...servingRouters(traffic)])].filter((one) => !now.includes(one))
}

const shownByAll = (traffic: TrafficState, weights: Record<string, number>): ShownRoutes[] =>
  traffic.also.length === 0 ? [] : servingRouters(traffic).map((router) => ({ router, weights, took: true }))

const shownAfterDrift = (
  { shown }: TrafficState,
  { router, observed }: EventOf<'routes-drifted'>,
): ShownRoutes[] =>
  shown.map((one) => (one.router === router ? { ...one, weights: observed, took: false } : one))

const confirmationOf = ({ sequence, epoch, at, weights }: EventOf<'routes-confirmed'>) => ({
  sequence,
  epoch,
  at,
  weights,
})

/** Routes change with every instance; the shares of the versions are the same as before more often than not. */
function confirmedSince(
  before: ServiceState['traffic']['confirmed'],
  { at, epoch, weights }: EventOf<'routes-confirmed'>,
): number {
  const isSame = before?.epoch === epoch && haveSameShares(before.weights, weights)
  return isSame ? (before.since ?? at) : at
}

const haveSameShares = (a: Record<string, number>, b: Record<string, number>): boolean =>
  [...Object.keys(a), ...Object.keys(b)].every((release) => (a[release] ?? 0) === (b[release] ?? 0))

/** Only what somebody wrote is remembered: a router that lost or returned its routes fights nobody. */
function driftAfter(state: ServiceState, event: EventOf<'routes-drifted'>): Drift | null {
  const { cause, observed, held, above, at, router } = event
  if (cause !== 'edited') return null
  const where = router === undefined ? {} : { router }
  return { ...where, observed, seenAt: [...recentSightings(state, event, at), at], held, above }
}

/** When the same foreign weights were seen before, of late. */
export const recentSightings = (
  { drift }: ServiceState,
  { router, observed }: Pick<Drift, 'router' | 'observed'>,
  now: number,
): number[] =>
  drift === null || drift.router !== router || !sameShares(drift.observed, observed)
    ? []
    : drift.seenAt.filter((at) => Math.abs(now - at) <= FIGHT_WITHIN_MS)

export const sameShares = (a: Record<string, number>, b: Record<string, number>): boolean =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].every(
    (release) => (a[release] ?? 0) === (b[release] ?? 0),
  )
