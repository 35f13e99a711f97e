import { entryOf } from '../shared/entry.ts'
import type { RouterName } from '../shared/router-ability.ts'
import type { ServiceSettings } from './settings.ts'

/**
 * The settings of a service as each of its routers has them, that of `router` first. A preview is shown by that one alone:
 * it has one address.
 *
 * @example servingsOf(settings).map(({ router }) => router) // ['haproxy', 'builtin']
 */
export function servingsOf(settings: ServiceSettings): ServiceSettings[] {
  const { also = [], ...first } = settings
  const { hosts: _hosts, paths: _paths, tls: _tls, routerFound: _found, ...shared } = first
  const strategy = withoutPreview(first.strategy)
  return [
    first,
    ...also.map((one) => ({
      ...shared,
      strategy,
      router: one.router,
      listen: one.listen,
      ...entryOf(one),
    })),
  ]
}

/** As this router has them; `null` where it does not serve. */
export const servingOf = (settings: ServiceSettings, router: RouterName): ServiceSettings | null =>
  servingsOf(settings).find((serving) => serving.router === router) ?? null

function withoutPreview(strategy: ServiceSettings['strategy']): ServiceSettings['strategy'] {
  if (strategy.kind !== 'canary' && strategy.kind !== 'blue-green') return strategy
  if (strategy.kind === 'canary') {
    const { preview: _, ...rest } = strategy
    return rest
  }
  const { preview: _, ...rest } = strategy
  return rest
}
