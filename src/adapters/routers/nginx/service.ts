import { isIPv6 } from 'node:net'
import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import type { RouteInstance, ServiceRoutes } from '../../../core/shared/routes.ts'
import { hasActive } from '../../../core/shared/routes.ts'
import { formatWeight } from '../../../core/shared/weight.ts'
import { choiceText, Names } from './choice.ts'
import { comment, packed } from './words.ts'

/** A service as it is to be served. `preview` is `null` where none was asked for, or while its port is taken. */
export type Served = { routes: ServiceRoutes; listening: ListenAddress; preview: ListenAddress | null }

/** Where the lines of the log go. `key` stands in each, so that nobody else on this machine can add any. */
export type LogPlace = { port: number; key: string }

/** The part of the configuration that is about one service. */
export function serviceText({ routes, listening, preview }: Served, log: LogPlace): string {
  const names = new Names(routes.service)
  const shares = routes.sets.map(
    ({ release, weightPermille }) => `${release} ${formatWeight(weightPermille)}`,
  )
  return [
    `# ${comment(`${routes.service}: ${shares.join(', ') || 'no instances'}`)}`,
    ...upstreams(routes, names),
    ...choiceText(routes, names),
    formatText(names, 'live', {
      by: names.variable('by'),
      release: names.variable('release'),
      probe: names.variable('probe'),
    }),
    liveText(routes, { names, listening, log }),
    ...(preview === null ? [] : previewText(routes, { names, listening: preview, log })),
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

type Door = { names: Names; listening: ListenAddress; log: LogPlace }

function liveText(routes: ServiceRoutes, { names, listening, log }: Door): string {
  const { closed, sets } = routes
  const head = ['server {', listenText(listening), logText(names, 'live', log)]
  if (closed !== null) return [...head, ...nobody('SERVICE_CLOSED', closed.retryAfterS), '}'].join('\n')
  if (!sets.some(({ weightPermille }) => weightPermille > 0))
    return [...head, ...nobody('NO_INSTANCE', 1), '}'].join('\n')
  return [
    ...head,
    `    add_header sluice-release ${names.variable('told')} always;`,
    `    add_header set-cookie ${names.variable('set_cookie')} always;`,
    '    add_header sluice-error $sluice_error always;',
    ...locations(names.variable('target')),
    '}',
  ].join('\n')
}

function previewText({ preview, closed }: ServiceRoutes, { names, listening, log }: Door): string[] {
  const release = preview?.release ?? null
  const head = ['server {', listenText(listening), logText(names, 'preview', log)]
  const format = formatText(names, 'preview', {
    by: 'preview',
    release: release === null ? '' : packed(release),
    probe: names.variable('probe'),
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
const locations = (target: string): string[] => [
  '    location / {',
  '        error_page 418 = @sluice_long;',
  '        if ($sluice_long) { return 418; }',
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

const logText = (names: Names, way: 'live' | 'preview', { port, key }: LogPlace): string =>
  `    access_log syslog:server=127.0.0.1:${port},nohostname,tag=${key} ${names.format(way)};`

type Told = { by: string; release: string; probe: string }

/** One line of the log, as `log-line.ts` reads it. */
const formatText = (names: Names, way: 'live' | 'preview', { by, release, probe }: Told): string =>
  `log_format ${names.format(way)} escape=json '["${packed(names.service)}","${by}","${release}","${probe}",${LINE}]';`

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
