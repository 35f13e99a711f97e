import { isIPv6 } from 'node:net'
import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import type { RouteInstance, ServiceRoutes } from '../../../core/shared/routes.ts'
import { hasActive } from '../../../core/shared/routes.ts'
import { formatWeight } from '../../../core/shared/weight.ts'
import { RECORD } from '../../tools/log-file.ts'
import { choiceText } from './choice.ts'
import { copyBranch, copyLocations, mirrorText } from './mirror.ts'
import { Names } from './names.ts'
import { comment, packed } from './words.ts'

/** A service as it is to be served. `preview` is `null` where none was asked for, or while its port is taken. */
export type Served = { routes: ServiceRoutes; listening: ListenAddress; preview: ListenAddress | null }

/** Both in our folder. Of each request a line; and what nginx says of those that an instance broke off. */
export const REQUESTS_LOG = 'requests.log'
export const BROKEN_LOG = 'broken.log'

/**
 * How long a worker may keep lines to itself before it writes them: one write for all of them, instead of one for each,
 * costs a tenth. A worker that ends writes what it has.
 */
export const FLUSH_MS = 100

/** All that write into one file must name the same buffer. */
export const accessLog = (format: string): string =>
  `    access_log ${REQUESTS_LOG} ${format} buffer=64k flush=${FLUSH_MS}ms;`

/** The part of the configuration that is about one service. */
export function serviceText({ routes, listening, preview }: Served): string {
  const names = new Names(routes.service)
  const shares = routes.sets.map(
    ({ release, weightPermille }) => `${release} ${formatWeight(weightPermille)}`,
  )
  return [
    `# ${comment(`${routes.service}: ${shares.join(', ') || 'no instances'}`)}`,
    ...upstreams(routes, names),
    ...choiceText(routes, names),
    ...mirrorText(routes, names),
    formatText(names, 'live', {
      by: names.variable('by'),
      release: names.variable('release'),
      probe: names.variable('probe'),
      visit: names.variable('visit'),
      copied: names.variable('copied'),
    }),
    liveText(routes, { names, listening }),
    ...(preview === null ? [] : previewText(routes, { names, listening: preview })),
    '',
  ].join('\n')
}

function upstreams({ sets }: ServiceRoutes, names: Names): string[] {
  return sets
    .filter(hasActive)
    .map(({ release, instances }) =>
      [
        `upstream ${names.upstream(release)} {`,
        ...instances.filter(({ state }) => state === 'active').map(serverText),
        '    keepalive 64;',
        '    keepalive_requests 100000;',
        '}',
      ].join('\n'),
    )
}

/** One that refuses connections is left out for a second; the only one of a release is always asked. */
const serverText = ({ host, port }: RouteInstance): string =>
  `    server ${addressText({ host, port })} max_fails=1 fail_timeout=1s;`

export const addressText = ({ host, port }: ListenAddress): string =>
  isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`

/** The built-in proxy serves both families on `::`, so this does, too. */
const listenText = (address: ListenAddress): string =>
  `    listen ${addressText(address)}${address.host === '::' ? ' ipv6only=off' : ''};`

type Door = { names: Names; listening: ListenAddress }

function liveText(routes: ServiceRoutes, { names, listening }: Door): string {
  const { closed, sets } = routes
  const head = ['server {', listenText(listening), accessLog(names.format('live'))]
  if (closed !== null) return [...head, ...nobody('SERVICE_CLOSED', closed.retryAfterS), '}'].join('\n')
  if (!sets.some(({ weightPermille }) => weightPermille > 0))
    return [...head, ...nobody('NO_INSTANCE', 1), '}'].join('\n')
  return [
    ...head,
    `    add_header sluice-release ${names.variable('told')} always;`,
    `    set $sluice_variant ${names.variable('variant')};`,
    `    add_header set-cookie ${names.variable('set_cookie')} always;`,
    `    add_header set-cookie ${names.variable('mark_cookie')} always;`,
    '    add_header sluice-error $sluice_error always;',
    ...locations(names.variable('target'), copyBranch(routes.mirror, names)),
    ...copyLocations(routes.mirror, {
      names,
      target: names.variable('target'),
      log: accessLog(names.format('copy')),
    }),
    '}',
  ].join('\n')
}

function previewText({ preview, closed }: ServiceRoutes, { names, listening }: Door): string[] {
  const release = preview?.release ?? null
  const head = ['server {', listenText(listening), accessLog(names.format('preview'))]
  const format = formatText(names, 'preview', {
    by: 'preview',
    release: release === null ? '' : packed(release),
    probe: names.variable('probe'),
    visit: '',
    copied: '',
  })
  if (release === null)
    return [
      format,
      [...head, ...nobody(closed === null ? 'NO_INSTANCE' : 'SERVICE_CLOSED', 1), '}'].join('\n'),
    ]
  return [
    format,
    [
      ...head,
      `    add_header sluice-release ${quotedRelease(release)} always;`,
      '    add_header sluice-error $sluice_error always;',
      ...locations(names.upstream(release)),
      '}',
    ].join('\n'),
  ]
}

/** Names of releases may hold anything; a header may not. */
const quotedRelease = (release: string): string => `"${release.replace(/[^A-Za-z0-9@._#+/:-]/g, '?')}"`

/**
 * WebSockets and event streams are quiet by nature: no silence ends them. The kernel keeps them alive, which shows in its
 * list of sockets and tells them from requests.
 */
const locations = (target: string, branch: readonly string[] = []): string[] => [
  '    location / {',
  '        error_page 418 = @sluice_long;',
  '        if ($sluice_long) { return 418; }',
  ...branch,
  `        proxy_pass http://${target};`,
  '    }',
  '    location @sluice_long {',
  '        proxy_read_timeout 24h;',
  '        proxy_send_timeout 24h;',
  '        proxy_socket_keepalive on;',
  `        proxy_pass http://${target};`,
  '    }',
]

const nobody = (code: string, retryAfterS: number): string[] => [
  `    add_header retry-after ${retryAfterS} always;`,
  `    add_header sluice-error ${code} always;`,
  '    location / { return 503; }',
]

type Told = { by: string; release: string; probe: string; visit: string; copied: string }

/** One line of the log, as `log-line.ts` reads it. */
const formatText = (names: Names, way: 'live' | 'preview', told: Told): string =>
  `log_format ${names.format(way)} escape=json '${RECORD}["${packed(names.service)}","${told.by}","${told.release}","${told.probe}",${LINE},"${told.visit}","$msec","${told.copied}"]';`

const LINE = [
  '$sent_http_sluice_error',
  '$status',
  '$request_time',
  '$request_method',
  '$sluice_path',
  '$content_length',
  '$body_bytes_sent',
  '$request_completion',
  '$sent_http_content_type',
  '$upstream_addr',
  '$upstream_connect_time',
  '$upstream_header_time',
  '$connection',
]
  .map((variable) => `"${variable}"`)
  .join(',')
