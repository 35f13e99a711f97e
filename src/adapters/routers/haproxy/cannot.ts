import { isSelective } from '../../../core/shared/entry.ts'
import { type Problem, problem } from '../../../core/shared/problem.ts'
import type { RouterAbilities, RouterFeature } from '../../../core/shared/router-ability.ts'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { whyNot } from './rule-text.ts'
import { whyNotUsers } from './users.ts'

/** Each a whole sentence for people. */
const REASONS = {
  mirror: 'HAProxy cannot copy requests to a second instance without a program beside it.',
  'compare-bodies': 'HAProxy copies no requests, so there is nothing to compare.',
  tls: 'TLS at this HAProxy is not configured by Sluice yet.',
  hosts: 'Several services on one address are not configured by Sluice for HAProxy yet.',
  revert:
    'HAProxy has no policy of its own for a lost controller: it holds the last weights until one is back.',
  ejection: 'Sluice does not set HAProxy up to leave failing instances out.',
  limits: 'Sluice sets no limits per service in HAProxy.',
  'access-log': 'Sluice reads the log of HAProxy to count and keeps no line for each request.',
} as const satisfies Partial<Record<RouterFeature, string>>

const can = { can: true } as const
const cannot = (feature: keyof typeof REASONS) => ({ can: false, why: REASONS[feature] }) as const

export const FEATURES: RouterAbilities['features'] = {
  rules: can,
  sticky: can,
  variants: can,
  preview: can,
  mirror: cannot('mirror'),
  'compare-bodies': cannot('compare-bodies'),
  'slow-start': can,
  closed: can,
  revert: cannot('revert'),
  tls: cannot('tls'),
  hosts: cannot('hosts'),
  ejection: cannot('ejection'),
  limits: cannot('limits'),
  'access-log': cannot('access-log'),
}

export const NOTES = [
  'Each request is shared out by chance: at 5%, 10,000 requests give the candidate 500, give or take 50. Analysis uses what was counted.',
  'All weights and rules of a service change at once, with the next request.',
  'A new listen address, other rules, a preview, an A/B test or the first sticky release reload HAProxy, which loses no request; new versions and weights do not.',
  'An open connection from before a reload is served once more by the rules of before.',
  'A WebSocket that outlives the drain limit is cut without a close frame, since HAProxy does not speak WebSocket: its client sees 1006 and has to connect again by itself.',
  'Latencies come from the log of HAProxy; what is lost of it is counted and shown.',
]

/** Addresses of machines as they are written; nothing that means something in a configuration. */
const HOST = /^[0-9A-Za-z._:%-]{1,253}$/

/** Why these routes are refused, before anything is changed. */
export function refusalOf(routes: ServiceRoutes): Problem | null {
  const reason = reasonOf(routes)
  return reason === null
    ? null
    : problem('ROUTER_CANNOT', {
        message: `${routes.service} asks for something that HAProxy cannot do. ${reason} Nothing was changed.`,
        remedy: 'Leave it out, or set router: builtin. What each router can do: sluice router check.',
      })
}

function reasonOf({ sticky, mirror, onControllerLoss, rules, ...routes }: ServiceRoutes): string | null {
  const users = whyNotUsers({ sticky })
  if (users !== null) return users
  if (mirror !== null) return REASONS.mirror
  if (onControllerLoss.kind === 'revert') return REASONS.revert
  const { outlier, limits, accessLog } = routes
  if (outlier !== undefined) return REASONS.ejection
  if (limits !== undefined) return REASONS.limits
  if (accessLog !== undefined) return REASONS['access-log']
  if (routes.tls !== undefined) return REASONS.tls
  if (isSelective(routes)) return REASONS.hosts
  for (const { match } of rules) {
    const why = whyNot(match)
    if (why !== null) return why
  }
  const hosts = [
    routes.listen.host,
    ...(routes.preview === null ? [] : [routes.preview.listen.host]),
    ...routes.sets.flatMap(({ instances }) => instances.map(({ host }) => host)),
  ]
  const strange = hosts.find((host) => !HOST.test(host))
  return strange === undefined ? null : `${JSON.stringify(strange)} is not the name or address of a machine.`
}
