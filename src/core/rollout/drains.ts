import type { InstanceTraffic } from '../shared/router-state.ts'
import type { ServiceState } from './state.ts'

/** A drain that a router does not report as done is given up this long after its own limits. */
const DRAIN_MARGIN_MS = 10_000

export const isWorking = ({ inFlight, websockets, drain }: InstanceTraffic): boolean =>
  inFlight > 0 || websockets > 0 || drain?.done === false

/** Given up long after its own limits. The router counts this time itself, so that no clock that was set can end a drain. */
export const hasOutlasted = (
  { drain }: Pick<InstanceTraffic, 'drain'>,
  state: Pick<ServiceState, 'rollout' | 'settings'>,
): boolean => drain !== null && drain.sinceMs >= longestDrainMs(state)

/** So long may what was begun take, by the settings of both versions. */
export const longestDrainMs = ({ rollout, settings }: Pick<ServiceState, 'rollout' | 'settings'>): number =>
  Math.max(
    0,
    ...[rollout?.settings.drain, settings?.drain].flatMap((limits) =>
      limits === undefined ? [] : [limits.requestsMs, limits.websocketsMs],
    ),
  ) + DRAIN_MARGIN_MS

/** A router has work on it: the one that serves, or one that served before and finishes what it has. */
export const isBusy = ({ busy, traffic }: Pick<ServiceState, 'busy' | 'traffic'>, id: string): boolean =>
  busy.includes(id) || traffic.former.some((router) => router.busy === null || router.busy.includes(id))
