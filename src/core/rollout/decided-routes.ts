import type { RouterName } from '../shared/router-ability.ts'
import type { RouteSet } from '../shared/routes.ts'
import type { SideRoutes } from '../shared/side-routes.ts'
import { routerIn } from './router-in.ts'
import { routesOf, sameRoutes } from './routing.ts'
import { sideRoutesOf } from './side-routing.ts'
import type { ServiceState } from './state.ts'

/** Everything that the state asks the router for. */
export function decidedRoutes(state: ServiceState): {
  router: RouterName
  routes: RouteSet[]
  side: SideRoutes
} {
  const routes = routesOf(state)
  return { router: routerIn(state), routes, side: sideRoutesOf(state, routes) }
}

/** The routes that were decided last are still the ones that the state asks for. */
export function areRoutesDecided(state: ServiceState): boolean {
  const { router, routes, side } = decidedRoutes(state)
  const { traffic } = state
  if (router !== traffic.router && traffic.sequence > 0) return false
  return sameRoutes(routes, traffic.routes) && JSON.stringify(side) === JSON.stringify(traffic.side)
}
