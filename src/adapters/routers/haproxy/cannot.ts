import { type Problem, problem } from '../../../core/shared/problem.ts'
import type { RouterAbilities, RouterFeature } from '../../../core/shared/router-ability.ts'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { whyNotLimits } from './limit-text.ts'
import { whyNot } from './rule-text.ts'
import { whyNotUsers } from './users.ts'

/** Each a whole sentence for people. */
const REASONS = {
  mirror: 'HAProxy cannot copy requests to a second instance without a program beside it.',
  'compare-bodies': 'HAProxy copies no requests, so there is nothing to compare.',
  revert:
    'HAProxy has no policy of its own for a lost controller: it holds the last weights until one is back.',
  ejection: 'Sluice does not set HAProxy up to leave failing instances out.',
  'access-log': 'Sluice reads the log of HAProxy to count and keeps no line for each request.',
} as const satisfies Partial<Record<RouterFeature, string>>

const can = { can: true } as const
const cannot = (feature: keyof typeof REASONS) => ({ can: false, why: REASONS[feature] }) as const

const TLS_NOTE =
  'HAProxy closes a connection that speaks plain HTTP on a TLS port without a word, and reads the files of all certificates anew with each reload: while a pair does not fit, changes that need one are refused.'
const BODY_NOTE =
  'HAProxy cannot count a body while it passes: with a limit of bodies, one that comes in pieces without its length and is longer than some 8 KiB gets 411 (BODY_LENGTH_UNKNOWN). A reload begins anew to count requests at the same time.'
const RATE_NOTE =
  'HAProxy counts a rate exactly with one thread only: all requests at that address are taken by one. A reload fills the bucket.'

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
  tls: { can: true, note: TLS_NOTE },
  hosts: can,
  ejection: cannot('ejection'),
  limits: { can: true, note: BODY_NOTE },
  rate: { can: true, note: RATE_NOTE },
  'fine-rate': can,
  'limited-copies': cannot('mirror'),
  'access-log': cannot('access-log'),
}

export const NOTES = [
  'Each request is shared out by chance: at 5%, 10,000 requests give the candidate 500, give or take 50. Analysis uses what was counted.',
  'All weights and rules of a service change at once, with the next request.',
  'A new listen address, other hosts, paths, limits or rules, a preview, an A/B test or the first sticky release reload HAProxy, which loses no request; new versions and weights do not.',
  'An open connection from before a reload is served once more by the rules of before.',
  'A WebSocket that outlives the drain limit is cut without a close frame, since HAProxy does not speak WebSocket: its client sees 1006 and has to connect again by itself.',
  'Latencies come from the log of HAProxy; what is lost of it is counted and shown.',
]

/** Addresses of machines as they are written; nothing that means something in a configuration. */
const HOST = /^[0-9A-Za-z._:%-]{1,253}$/

/** As the file allows them. */
const HOST_NAME = /^(\*\.)?[0-9a-z._-]{1,253}$|^\[[0-9a-f:.]{2,45}\]$/

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
  const { outlier, limits = {}, accessLog } = routes
  if (outlier !== undefined) return REASONS.ejection
  if (accessLog !== undefined) return REASONS['access-log']
  const limited = whyNotLimits(limits)
  if (limited !== null) return limited
  for (const { match } of rules) {
    const why = whyNot(match)
    if (why !== null) return why
  }
  const odd = (routes.hosts ?? []).find((host) => !HOST_NAME.test(host))
  if (odd !== undefined) return `${JSON.stringify(odd)} is not the name of a host.`
  const hosts = [
    routes.listen.host,
    ...(routes.preview === null ? [] : [routes.preview.listen.host]),
    ...routes.sets.flatMap(({ instances }) => instances.map(({ host }) => host)),
  ]
  const strange = hosts.find((host) => !HOST.test(host))
  return strange === undefined ? null : `${JSON.stringify(strange)} is not the name or address of a machine.`
}
