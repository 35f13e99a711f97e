import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { RouterState } from '../core/shared/router-state.ts'
import type { ServiceRoutes } from '../core/shared/routes.ts'
import type { ServiceCounts } from '../core/shared/traffic-counts.ts'
import { makeOrigin, makeProxy, type Origin, type ProxyProcess, routesOf } from './proxy-process.test.kit.ts'

type ReleaseTotal = ServiceCounts['releases'][number]['total']

/** One proxy for all tests of a file, in which each test has a service, and so listener and counters, of its own. */
export type SharedProxy = {
  setRoutes(routes: ServiceRoutes): Promise<number>
  state(): Promise<RouterState>
  counts(): Promise<ServiceCounts>
  /** Counters of the first release. */
  total(): Promise<ReleaseTotal | undefined>
  /** An instance; it is closed when the test ends. */
  origin(...args: Parameters<typeof makeOrigin>): Promise<Origin>
  /** The port of the service, with everything going to one instance that behaves like this. */
  through(serve: Parameters<typeof makeOrigin>[0]): Promise<{ port: number; origin: Origin }>
}

export function useSharedProxy(limits: Record<string, number> = {}): SharedProxy {
  const origins: Origin[] = []
  let proxy: ProxyProcess
  let tests = 0
  const service = () => `shop-${tests}`

  beforeAll(async () => {
    proxy = await makeProxy(limits)
  })
  beforeEach(() => {
    tests += 1
  })
  afterEach(async () => {
    for (const made of origins.splice(0)) await made.close()
  })
  afterAll(() => proxy?.remove())

  const setRoutes: SharedProxy['setRoutes'] = (routes) => proxy.setRoutes({ ...routes, service: service() })
  const counts = () => proxy.counts(service())
  const origin: SharedProxy['origin'] = async (...args) => {
    const made = await makeOrigin(...args)
    origins.push(made)
    return made
  }
  return {
    setRoutes,
    counts,
    origin,
    state: () => proxy.state(service()),
    total: async () => (await counts()).releases[0]?.total,
    async through(serve) {
      const made = await origin(serve)
      return { port: await setRoutes(routesOf([{ ports: [made.port] }], 1)), origin: made }
    },
  }
}
