import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import type { RouteInstance, ServiceRoutes } from '../../../core/shared/routes.ts'
import { hasActive } from '../../../core/shared/routes.ts'
import { formatWeight } from '../../../core/shared/weight.ts'
import { RECORD } from '../../tools/log-file.ts'
import { choiceText } from './choice.ts'
import { CLOSING_LINES } from './closing.ts'
import type { ShownPair } from './kept-pair.ts'
import { bodyLines, limitAnswers, limitZones } from './limits.ts'
import { addressText, listenText } from './listen-text.ts'
import { longBranch, longLocation, nobody } from './live.ts'
import { PART, VERSION } from './log-line.ts'
import { mirrorText } from './mirror.ts'
import { Names } from './names.ts'
import { inShare, passTo } from './pass-to.ts'
import { accessLog } from './request-log.ts'
import { unreachedLocations, unreachedPages } from './unreached.ts'
import { comment, packed } from './words.ts'

/**
 * A service as it is to be served. `preview` is `null` where none was asked for, or while its port is taken; `pair` where
 * its address speaks plain HTTP. `round` changes when places inside of a limit were lost (`limits.ts`).
 */
export type Served = {
  routes: ServiceRoutes
  listening: ListenAddress
  preview: ListenAddress | null
  pair: ShownPair | null
  round: number
}

/** The part of the configuration that is about one service, up to the address where it takes its traffic (`door-text.ts`). */
export function serviceText({ routes, preview, round }: Served): string {
  const names = new Names(routes.service)
  const shares = routes.sets.map(
    ({ release, weightPermille }) => `${release} ${formatWeight(weightPermille)}`,
  )
  return [
    `# ${comment(`${routes.service}: ${shares.join(', ') || 'no instances'}`)}`,
    ...upstreams(routes, names),
    ...choiceText(routes, names),
    ...mirrorText(routes, names),
    ...limitZones({ names, limits: routes.limits ?? {} }, round),
    formatText(names, names.format('live'), liveWords(names)),
    ...inShare(routes).map(({ release }) =>
      formatText(names, names.upstream(release), {
        ...liveWords(names),
        release: packed(release),
        probe: '',
        heads: '',
      }),
    ),
    ...(routes.closed === null
      ? []
      : [formatText(names, names.format('closed'), { ...liveWords(names), error: 'SERVICE_CLOSED' })]),
    ...(preview === null ? [] : previewText(routes, { names, listening: preview })),
    '',
  ].join('\n')
}

/** Two for each release: WebSockets and event streams get new connections, since only a new one can be told from those of requests. */
function upstreams({ sets }: ServiceRoutes, names: Names): string[] {
  return sets.filter(hasActive).flatMap(({ release, instances }) => {
    const name = names.upstream(release)
    const servers = instances.filter(({ state }) => state === 'active').map(serverText)
    return [
      [`upstream ${name} {`, ...servers, '    keepalive 64;', '    keepalive_requests 100000;', '}'].join(
        '\n',
      ),
      [`upstream ${Names.long(name)} {`, ...servers, '}'].join('\n'),
    ]
  })
}

/** One that refuses connections is left out for a second; the only one of a release is always asked. */
const serverText = ({ host, port }: RouteInstance): string =>
  `    server ${addressText({ host, port })} max_fails=1 fail_timeout=1s;`

type Door = { names: Names; listening: ListenAddress }

function previewText(
  { service, preview, closed, limits = {} }: ServiceRoutes,
  { names, listening }: Door,
): string[] {
  const release = preview?.release ?? null
  const log = accessLog(names.format('preview'))
  const code = closed === null ? 'NO_INSTANCE' : 'SERVICE_CLOSED'
  const server = (lines: readonly string[]): string =>
    ['server {', listenText(listening), log, ...CLOSING_LINES, ...lines, '}'].join('\n')
  const format = formatText(names, names.format('preview'), {
    by: 'preview',
    release: release === null ? '' : packed(release),
    probe: names.variable('probe'),
    error: release === null ? code : '',
    visit: '',
    copied: '',
    heads: HEADS,
  })
  if (release === null) {
    return [format, server(nobody({ service, code, retryAfterS: 1 }, { at: '/', log }))]
  }
  const { bodyBytes } = limits
  const said = `        add_header sluice-release ${quotedRelease(release)} always;`
  const lines = [
    said,
    ...(bodyBytes === undefined ? [] : bodyLines(bodyBytes, names)),
    ...unreachedPages(names),
  ]
  const target = names.upstream(release)
  return [
    format,
    server([
      '    location / {',
      ...lines,
      ...longBranch(names),
      passTo(target),
      '    }',
      ...longLocation(names, { target, lines }),
      ...unreachedLocations(names, [said]),
      // Places and rates are for live traffic.
      ...limitAnswers(service, { names, limits: bodyBytes === undefined ? {} : { bodyBytes } }, log),
    ]),
  ]
}

/** Names of releases may hold anything; a header may not. */
const quotedRelease = (release: string): string => `"${release.replace(/[^A-Za-z0-9@._#+/:-]/g, '?')}"`

type Told = {
  by: string
  release: string
  probe: string
  error: string
  visit: string
  copied: string
  heads: string
}

const liveWords = (names: Names): Told => ({
  by: names.variable('by'),
  release: names.variable('release'),
  probe: names.variable('probe'),
  error: '',
  visit: names.variable('visit'),
  copied: names.variable('copied'),
  heads: HEADS,
})

/** One line of the log, as `log-line.ts` reads it. */
const formatText = (names: Names, format: string, told: Told): string =>
  `log_format ${format} escape=json '${RECORD}${VERSION}${array([packed(names.service), told.by, told.release, told.probe, told.error, ...KIND])}${PART}${NUMBERS.join(' ')} $upstream_connect_time;${told.heads}${PART}${array(['$content_length', told.visit, told.copied])}';`

const array = (fields: readonly string[]): string => `[${fields.map((field) => `"${field}"`).join(',')}]`

/** What many requests have in common stands first: it is read once for all of them. */
const KIND = [
  '$status',
  '$request_method',
  '$sluice_path',
  '$request_completion',
  '$sent_http_content_type',
  '$upstream_addr',
  '$sluice_limited',
]
const NUMBERS = ['$request_time', '$body_bytes_sent', '$connection', '$msec']
/** How far each attempt came: an own failure of nginx, which has a place of its own, is told from one of the instance. */
const HEADS = '$upstream_header_time'
