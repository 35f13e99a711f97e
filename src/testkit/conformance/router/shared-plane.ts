import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import type { MetricSource } from '../../../ports/metric.ts'
import type { Router } from '../../../ports/router.ts'
import { NEIGHBOURS, SERVICE } from './kit.ts'

/**
 * Lets cases share one data plane that is slow to start: each has a service of its own there, and the suite need not know
 * its name. What one case leaves behind is nothing that another one can see.
 */
export function underName(service: string) {
  const names = new Map([SERVICE, ...NEIGHBOURS].map((name) => [name, name.replace(SERVICE, service)]))
  const inside = (asked: string): string => names.get(asked) ?? asked
  const routes = (given: ServiceRoutes): ServiceRoutes => ({ ...given, service: inside(given.service) })
  const router = (shared: Router): Router => ({
    kind: shared.kind,
    reconcile: () => shared.reconcile(),
    setRoutes: (given) => shared.setRoutes(routes(given)),
    finalize: ({ token, service: asked }) => shared.finalize({ token, service: inside(asked) }),
    async readState(asked) {
      const state = await shared.readState(inside(asked))
      return state.kind === 'ok' ? { kind: 'ok', value: { ...state.value, service: asked } } : state
    },
  })
  const counts = (shared: MetricSource): MetricSource => ({
    kind: shared.kind,
    async query(asked) {
      const answer = await shared.query(inside(asked))
      return answer.kind === 'samples' ? { ...answer, counts: { ...answer.counts, service: asked } } : answer
    },
  })
  return { routes, router, counts }
}
