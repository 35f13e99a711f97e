import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { answerLines } from './answers.ts'
import { bodyLines, limitAnswers, placeLines, rateLines } from './limits.ts'
import { copyBranch, copyLocations } from './mirror.ts'
import { Names } from './names.ts'
import { passAsItCame, passTo } from './pass-to.ts'
import { proxyHeaders } from './proxy-headers.ts'
import { accessLog } from './request-log.ts'
import { unreachedLocations, unreachedPages } from './unreached.ts'

/** Where the requests of a service arrive within a server: a server of several services has put a path of ours in the place of theirs. */
export const ALONE = '/'
export const shared = (names: Names): string => `= ${names.place}`

/** The locations of a server through which requests of one service go: live traffic. */
export function liveLocations(routes: ServiceRoutes, names: Names, at: string): string[] {
  const { closed, sets, service, limits = {}, mirror } = routes
  const log = `    ${accessLog(names.format('live'))}`
  if (closed !== null)
    return nobody(
      { service, code: 'SERVICE_CLOSED', retryAfterS: closed.retryAfterS },
      { at, log: `    ${accessLog(names.format('closed'))}` },
    )
  if (!sets.some(({ weightPermille }) => weightPermille > 0))
    return nobody({ service, code: 'NO_INSTANCE', retryAfterS: 1 }, { at, log })
  const { bodyBytes, requests, rate } = limits
  const target = names.variable('target')
  const cookies = cookieLines(names)
  const said = [log, ...toldLines(names), ...cookies]
  const body = bodyBytes === undefined ? [] : bodyLines(bodyBytes, names)
  const often = rate === undefined ? [] : rateLines(rate, names)
  const asks = [...body, ...unreachedPages(names), ...often]
  const isIn = [...said, ...asks]
  const variant = hasVariants(routes) ? names.variable('variant') : null
  const headers = variant === null ? [] : headerLines({ variant })
  return [
    ...(requests === undefined
      ? [`    location ${at} {`]
      : [
          `    location ${at} {`,
          ...said,
          ...body,
          ...placeLines(requests, names),
          // Nothing is there, whatever the rights of a worker; what is looked for has to have a name.
          '        root /dev/null;',
          `        try_files /sluice-nothing ${names.location('in')};`,
          '    }',
          `    location ${names.location('in')} {`,
        ]),
    ...(at === ALONE ? [log, ...cookies] : said),
    ...asks,
    ...headers,
    ...longBranch(names),
    ...copyBranch(mirror, names),
    ...(at === ALONE ? passAsItCame(routes, { names, probes: said }) : [passTo(target)]),
    '    }',
    ...longLocation(names, { target, lines: isIn, variant }),
    ...copyLocations(mirror, {
      names,
      target,
      lines: [...isIn, ...headers],
      log: accessLog(names.format('copy')),
    }),
    ...unreachedLocations(names, said),
    ...limitAnswers(service, { names, limits }, log),
  ]
}

/** Probes are told who served them. */
const toldLines = (names: Names): string[] => [
  `        add_header sluice-release ${names.variable('told')} always;`,
]

const cookieLines = (names: Names): string[] => [
  `        add_header set-cookie ${names.variable('set_cookie')} always;`,
  `        add_header set-cookie ${names.variable('mark_cookie')} always;`,
]

const hasVariants = ({ sticky }: ServiceRoutes): boolean =>
  sticky?.kind === 'assign' && (sticky.test ?? null) !== null

const headerLines = (of: Parameters<typeof proxyHeaders>[0]): string[] =>
  proxyHeaders(of).map((header) => `        ${header}`)

/** WebSockets and event streams go on in a location of their own. */
export const longBranch = (names: Names): string[] => [
  `        error_page 418 = ${names.location('long')};`,
  '        if ($sluice_long) { return 418; }',
]

/**
 * They are quiet by nature: no silence ends them. The kernel keeps them alive, which shows in its list of sockets and
 * tells them from requests.
 */
export const longLocation = (
  names: Names,
  { target, lines, variant = null }: { target: string; lines: readonly string[]; variant?: string | null },
): string[] => [
  `    location ${names.location('long')} {`,
  ...lines,
  ...headerLines({ variant, isLong: true }),
  '        proxy_read_timeout 24h;',
  '        proxy_send_timeout 24h;',
  '        proxy_socket_keepalive on;',
  passTo(Names.long(target)),
  '    }',
]

type Away = { service: string; code: 'SERVICE_CLOSED' | 'NO_INSTANCE'; retryAfterS: number }

/** The mark tells a client that the request is lost, and why. */
export const nobody = (
  { service, code, retryAfterS }: Away,
  { at, log }: { at: string; log: string },
): string[] => [
  `    location ${at} {`,
  log,
  `        add_header sluice-error ${code} always;`,
  ...answerLines({ ...wordsOf({ service, code, retryAfterS }), status: 503, code, retryAfterS }),
  '    }',
]

const wordsOf = ({ service, code, retryAfterS }: Away) =>
  code === 'NO_INSTANCE'
    ? { message: `${service} has no instance that takes requests.`, remedy: 'Try again in a second.' }
    : {
        message: `${service} is closed while its version is exchanged: the old one stops before the new one starts.`,
        remedy: `Come back in ${retryAfterS} ${retryAfterS === 1 ? 'second' : 'seconds'}.`,
      }
