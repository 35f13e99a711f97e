import type { Release } from '../../release/release.ts'
import { servingOf, servingsOf } from '../../release/servings.ts'
import type { ServiceSettings } from '../../release/settings.ts'
import { isWorker } from '../../release/worker.ts'
import { isSelective } from '../../shared/entry.ts'
import { type Problem, problem } from '../../shared/problem.ts'
import { hasFineRate } from '../../shared/request-policy.ts'
import type { RouterAbilities, RouterFeature, RouterName } from '../../shared/router-ability.ts'

/** Names of the routers as their makers write them. */
const TITLES: Record<RouterName, string> = {
  builtin: 'the built-in proxy',
  haproxy: 'HAProxy',
  nginx: 'nginx',
}
export const routerTitle = (name: RouterName): string => TITLES[name]

type Need = {
  feature: RouterFeature
  /** What in the file asks for it, as people would look for it. */
  key: string
}

/** What the settings of a service ask of its router, beyond what each router must be able to do. */
export function routerNeeds({
  listen,
  strategy,
  slowStartMs,
  onControllerLoss,
  ...settings
}: ServiceSettings): Need[] {
  if (listen === null) return []
  const { kind } = strategy
  const { outlier, limits, accessLog, router } = settings
  const needs: (Need & { isAsked: boolean })[] = [
    { feature: 'rules', key: 'routes', isAsked: 'routes' in strategy && (strategy.routes ?? []).length > 0 },
    { feature: 'sticky', key: 'sticky', isAsked: 'sticky' in strategy && strategy.sticky !== undefined },
    { feature: 'variants', key: 'ab', isAsked: kind === 'ab' },
    { feature: 'preview', key: 'preview', isAsked: 'preview' in strategy && strategy.preview !== undefined },
    { feature: 'mirror', key: 'shadow', isAsked: kind === 'shadow' },
    {
      feature: 'compare-bodies',
      key: 'shadow.compare.body',
      isAsked: kind === 'shadow' && strategy.bodies.kind !== 'off',
    },
    { feature: 'closed', key: 'recreate', isAsked: kind === 'recreate' },
    { feature: 'slow-start', key: 'health.slowStart', isAsked: slowStartMs > 0 },
    { feature: 'revert', key: 'onControllerLoss: revert', isAsked: onControllerLoss.kind === 'revert' },
    { feature: 'tls', key: 'tls', isAsked: settings.tls !== undefined },
    {
      feature: 'hosts',
      key: settings.hosts === undefined ? 'paths' : 'hosts',
      isAsked: isSelective(settings),
    },
    // With the built-in proxy this is on without being asked for (`resolve-request-policy.ts`).
    { feature: 'ejection', key: 'health.outlier', isAsked: outlier !== undefined && router !== 'builtin' },
    {
      feature: 'limits',
      key: 'limits',
      isAsked: limits?.bodyBytes !== undefined || limits?.requests !== undefined,
    },
    { feature: 'rate', key: 'limits.perSecond', isAsked: limits?.rate !== undefined },
    { feature: 'fine-rate', key: 'limits.perSecond', isAsked: limits !== undefined && hasFineRate(limits) },
    {
      feature: 'limited-copies',
      key: 'limits.requests beside shadow',
      isAsked: kind === 'shadow' && limits?.requests !== undefined,
    },
    { feature: 'access-log', key: 'accessLog', isAsked: accessLog !== undefined },
  ]
  return needs.filter(({ isAsked }) => isAsked)
}

/** What of it this router cannot do, and why, one sentence each. */
export const routerLacks = (settings: ServiceSettings, { features }: RouterAbilities): string[] =>
  routerNeeds(settings).flatMap(({ feature, key }) => {
    const ability = features[feature]
    return ability.can ? [] : [`${key}: ${ability.why}`]
  })

/** What to know about those of its abilities that the settings ask for. */
export const routerNotes = (settings: ServiceSettings, { features }: RouterAbilities): string[] =>
  routerNeeds(settings).flatMap(({ feature }) => {
    const ability = features[feature]
    return ability.can && ability.note !== undefined ? [ability.note] : []
  })

type Fit = { release: Release; stable: Release | null; abilities: RouterAbilities }

/** Why this router, one of those of the release, cannot take it into production, or `null`. It is asked before anything is started. */
export function routerRefusal({ release, stable, abilities }: Fit): Problem | null {
  const { settings } = release
  const serving = servingOf(settings, abilities.router) ?? settings
  if (isWorker(settings)) return null
  if (abilities.problem !== null) return abilities.problem
  const missing = routerLacks(serving, abilities)
  if (missing.length > 0) return cannot(settings, abilities.router, missing)
  const before = stable === null ? [] : servingsOf(stable.settings)
  return before.map((one) => movedInPlace(serving, one)).find((found) => found !== null) ?? null
}

const cannot = (
  { router: first }: ServiceSettings,
  router: RouterName,
  missing: readonly string[],
): Problem =>
  problem('ROUTER_CANNOT', {
    message: `${routerTitle(router)} cannot do what the file asks of it. ${missing.join(' ')}`,
    remedy: `${first === router ? 'Write router: builtin' : `Remove ${router} from "also"`}, or leave these keys out. "sluice router check" lists what each router can do.`,
  })

/** Two programs cannot take the same address, and between one and the other nobody would be served. */
function movedInPlace(settings: ServiceSettings, before: ServiceSettings): Problem | null {
  const { listen, router } = settings
  if (listen === null || before.listen === null) return null
  if (listen.port !== before.listen.port || listen.host !== before.listen.host) return null
  const address = `${listen.host}:${listen.port}`
  if (router === before.router) return tlsInPlace(settings, { before, address })
  return problem('ROUTER_ADDRESS_HELD', {
    message: `${routerTitle(router)} cannot take ${address} while ${routerTitle(before.router)} serves there.`,
    cause: `The service moves from router: ${before.router} to router: ${router} and keeps its listen address.`,
    remedy:
      'Give the service another port in "listen" with the same change. Both serve until the new routes are confirmed; then the old address is given up. Or keep the router.',
  })
}

/** Users of one kind would fail from that moment, in the middle of a rollout. */
function tlsInPlace(
  { tls }: ServiceSettings,
  { before, address }: { before: ServiceSettings; address: string },
): Problem | null {
  if ((tls === undefined) === (before.tls === undefined)) return null
  return problem('TLS_CHANGED_IN_PLACE', {
    message: `${address} ${tls === undefined ? 'speaks TLS and would do so no more' : 'speaks plain HTTP and would speak TLS'}: whoever comes as before would fail at once.`,
    remedy:
      'Give the service another port in "listen" with the same change. The old address is given up when the new one serves.',
  })
}

/** `HAProxy 2.6.12, found on this machine`. */
export function routerText(
  { router, version }: Pick<RouterAbilities, 'router' | 'version'>,
  isFound: boolean,
): string {
  const name =
    router === 'builtin' || version === null ? routerTitle(router) : `${routerTitle(router)} ${version}`
  if (!isFound) return name
  return router === 'builtin'
    ? `${name}, because no HAProxy was found on this machine (router: auto)`
    : `${name}, found on this machine (router: auto)`
}
