import type { RouterName } from '../shared/router-ability.ts'
import type { RouteSet } from '../shared/routes.ts'
import type { SideRoutes } from '../shared/side-routes.ts'
import { alsoIn, routerIn, servingRouters } from './router-in.ts'
import { routesOf, sameRoutes } from './routing.ts'
import { sideRoutesOf } from './side-routing.ts'
import type { ServiceState } from './state.ts'

/** Everything that the state asks its routers for. */
export function decidedRoutes(state: ServiceState): {
  router: RouterName
  also?: RouterName[]
  routes: RouteSet[]
  side: SideRoutes
} {
  const routes = routesOf(state)
  const also = alsoIn(state)
  return {
    router: routerIn(state),
    ...(also.length === 0 ? {} : { also }),
    routes,
    side: sideRoutesOf(state, routes),
  }
}

/** The routes that were decided last are still the ones that the state asks for. */
export function areRoutesDecided(state: ServiceState): boolean {
  const { router, also = [], routes, side } = decidedRoutes(state)
  const { traffic } = state
  const isServed = servingRouters(traffic).join() === servingRouters({ router, also }).join()
  if (!isServed && traffic.sequence > 0) return false
  return sameRoutes(routes, traffic.routes) && JSON.stringify(side) === JSON.stringify(traffic.side)
}
