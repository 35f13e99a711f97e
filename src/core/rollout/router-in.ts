import type { RouterName } from '../shared/router-ability.ts'
import type { ServiceState, TrafficState } from './state.ts'

type Serving = Pick<ServiceState, 'rollout' | 'settings'>

/** Who serves by the settings that hold now: those of the rollout while it is on its way, like its listen address. */
export const routerIn = (state: Serving): RouterName => settingsIn(state)?.router ?? 'builtin'

/** Who serves besides. A service that is given back leaves these first. */
export const alsoIn = (state: Serving & Pick<ServiceState, 'finalizing'>): RouterName[] =>
  state.finalizing ? [] : (settingsIn(state)?.also ?? []).map(({ router }) => router)

const settingsIn = ({ rollout, settings }: Serving) =>
  rollout?.phase.kind === 'running' ? rollout.settings : settings

/** All that were asked for the present routes, the one of `router` first. */
export const servingRouters = ({ router, also }: Pick<TrafficState, 'router' | 'also'>): RouterName[] => [
  router,
  ...also,
]

/** Sequence of the token under which this router was told the present routes. */
export const toldTo = ({ told, sequence }: TrafficState, router: RouterName): number =>
  told[router] ?? sequence

/**
 * Routers that served before and still have something of the service. They let go once those that serve now have
 * confirmed their routes (S131), so that at no moment nobody serves.
 */
export const routersToLeave = ({ traffic, epoch }: ServiceState): readonly RouterName[] => {
  const { left, confirmed, sequence } = traffic
  return confirmed?.sequence === sequence && confirmed.epoch === epoch ? left : []
}

/**
 * Who has yet to be told the routes that hold now. Of several, one that the owner has not seen since it took over is left
 * alone: what it shows may change what is wanted. So is one whose foreign weights are left alone.
 */
export function routersToTell({ traffic, drift }: ServiceState): RouterName[] {
  const held = drift?.held === true ? (drift.router ?? traffic.router) : null
  const all = servingRouters(traffic).filter((router) => router !== held)
  if (traffic.also.length === 0) return all
  return all.filter((router) => traffic.shown.some((one) => one.router === router && !one.took))
}
