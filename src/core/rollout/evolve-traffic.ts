import type { RouterName } from '../shared/router-ability.ts'
import type { Event, EventOf } from './event.ts'
import type { Drift, ServiceState } from './state.ts'

/** Foreign weights that came back longer ago than this are another story. */
export const FIGHT_WITHIN_MS = 15 * 60_000

const TRAFFIC = [
  'weights-decided',
  'routes-decided',
  'routes-confirmed',
  'routes-drifted',
  'drift-settled',
  'router-left',
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
          router: event.router,
          left: leftAfter(traffic, event.router),
        },
      }
    case 'router-left':
      return { ...state, traffic: { ...traffic, left: traffic.left.filter((one) => one !== event.router) } }
    case 'routes-confirmed':
      return {
        ...state,
        traffic: {
          ...traffic,
          confirmed: { ...confirmationOf(event), since: confirmedSince(traffic.confirmed, event) },
        },
      }
    case 'routes-drifted':
      return { ...state, traffic: { ...traffic, confirmed: null }, drift: driftAfter(state, event) }
    case 'drift-settled':
      return { ...state, drift: null }
  }
}

/** Whoever served before still has the routes; one that serves again has not left after all. */
const leftAfter = ({ router, left, sequence }: ServiceState['traffic'], now: RouterName): RouterName[] =>
  sequence === 0 ? left : [...new Set([...left, router])].filter((one) => one !== now)

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
  const { cause, observed, held, above, at } = event
  if (cause !== 'edited') return null
  return { observed, seenAt: [...recentSightings(state, observed, at), at], held, above }
}

/** When the same foreign weights were seen before, of late. */
export const recentSightings = (
  { drift }: ServiceState,
  observed: Drift['observed'],
  now: number,
): number[] =>
  drift === null || !sameShares(drift.observed, observed)
    ? []
    : drift.seenAt.filter((at) => Math.abs(now - at) <= FIGHT_WITHIN_MS)

export const sameShares = (a: Record<string, number>, b: Record<string, number>): boolean =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].every(
    (release) => (a[release] ?? 0) === (b[release] ?? 0),
  )
