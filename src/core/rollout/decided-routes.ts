import type { RouteSet } from '../shared/routes.ts'
import type { SideRoutes } from '../shared/side-routes.ts'
import { routesOf, sameRoutes } from './routing.ts'
import { sideRoutesOf } from './side-routing.ts'
import type { ServiceState } from './state.ts'

/** Everything that the state asks the router for. */
export function decidedRoutes(state: ServiceState): { routes: RouteSet[]; side: SideRoutes } {
  const routes = routesOf(state)
  return { routes, side: sideRoutesOf(state, routes) }
}

/** The routes that were decided last are still the ones that the state asks for. */
export function areRoutesDecided(state: ServiceState): boolean {
  const { routes, side } = decidedRoutes(state)
  const { traffic } = state
  return sameRoutes(routes, traffic.routes) && JSON.stringify(side) === JSON.stringify(traffic.side)
}
