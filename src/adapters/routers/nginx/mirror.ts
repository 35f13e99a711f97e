import type { MirrorRoute } from '../../../core/shared/mirror.ts'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { TOTAL_PERMILLE } from '../../../core/shared/weight.ts'
import { saltWord } from '../../tools/log-arms.ts'
import { RECORD } from '../../tools/log-file.ts'
import { alias } from './aliases.ts'
import { drawText } from './draw.ts'
import type { Names } from './names.ts'
import { passTo } from './pass-to.ts'
import { proxyHeaders } from './proxy-headers.ts'
import { fitting, packed } from './words.ts'

/** As many as the built-in proxy has under way at a time (`shadowCopies` in `src/proxy/limits.ts`), and for as long. */
const MOST_COPIES = 100
const COPY_MS = 10_000
/** Larger bodies are not copied: with up to five digits, 99,999 bytes. */
const BODY_DIGITS = 5
/** They stay in memory: a worker that gave up root can write none of them into our folder, and would answer with 500. */
const BODY_BYTES = 10 ** BODY_DIGITS

const COPY = 'copy'
const LARGE = 'large'
/** Begins a line about a copy. */
export const COPY_LINE = 'copy'

/**
 * Which requests are copied: those of the weights that may be copied, a share of them by a draw of its own. A body of
 * unknown length is as good as too large: nginx reads all of it before it sends anything.
 */
export function mirrorText({ mirror }: ServiceRoutes, names: Names): string[] {
  const told = names.variable('copied')
  if (mirror === null) return [alias(told, '""')]
  const { sharePermille, requests, release, salt } = mirror
  const kinds = requests.map(({ method, path }) => `"~${fitting(`${method} ${path}`)}" 1;`)
  const looks = ['probe', 'by', 'target', 'copyable', 'drawn'].map((name) => names.within(name)).join(':')
  const isAsked = `::weight:(?!${names.upstream(release)}:)[^:]*:1:1::`
  const word = saltWord(salt)
  return [
    `map "$request_method $sluice_whole_path" ${names.variable('copyable')} { default ""; ${kinds.join(' ')} }`,
    drawText('$request_id/copy', names.variable('drawn'), [
      { to: '1', permille: sharePermille },
      { to: '0', permille: TOTAL_PERMILLE - sharePermille },
    ]),
    `map "$sluice_long:${looks}:$http_expect:$http_transfer_encoding:$content_length" ${names.variable('copy')} {`,
    '    default "";',
    `    "~^${isAsked}:[0-9]{0,${BODY_DIGITS}}$" ${COPY};`,
    `    "~^${isAsked}(?:[^:]+:[0-9]*|:[0-9]+)$" ${LARGE};`,
    '}',
    `map ${names.variable('copy')} ${told} {`,
    '    default "";',
    `    ${COPY} "${word};$request_id;$upstream_header_time;$upstream_response_time";`,
    `    ${LARGE} "${word};;;";`,
    '}',
    // A reload refuses a zone whose key is written otherwise than before, so the word is behind a name.
    `geo ${names.variable('copies_of')} { default ${word}; }`,
    `limit_conn_zone ${names.variable('copies_of')} zone=${names.zone('copies')}:64k;`,
    `log_format ${names.format('copy')} escape=json '${RECORD}["${COPY_LINE}","${packed(names.service)}","${word}",${LINE}]';`,
  ]
}

const LINE = ['$request_id', '$status', '$upstream_connect_time', '$upstream_header_time']
  .map((variable) => `"${variable}"`)
  .join(',')

/** In `location /`: whoever is copied goes on in a location of their own, since there the whole body is read first. */
export const copyBranch = (mirror: MirrorRoute | null, names: Names): string[] =>
  mirror === null
    ? []
    : [
        `        error_page 419 = ${names.location('copied')};`,
        `        if (${names.variable('copy')} = ${COPY}) { return 419; }`,
      ]

/**
 * nginx holds a connection until the copy of its last request is over. So the answer to a copied request closes it, and
 * the client asks again on another one: nobody waits for the shadow.
 */
export function copyLocations(
  mirror: MirrorRoute | null,
  { names, target, lines, log }: { names: Names; target: string; lines: readonly string[]; log: string },
): string[] {
  if (mirror === null) return []
  const place = copyPlace(mirror, names.service)
  return [
    `    location ${names.location('copied')} {`,
    ...lines,
    '        keepalive_timeout 0;',
    `        client_body_buffer_size ${BODY_BYTES};`,
    `        mirror ${place};`,
    passTo(target),
    '    }',
    `    location = ${place} {`,
    '        internal;',
    '        log_subrequest on;',
    `    ${log}`,
    `        limit_conn ${names.zone('copies')} ${MOST_COPIES};`,
    '        limit_conn_log_level info;',
    '        proxy_ignore_client_abort on;',
    `        proxy_read_timeout ${COPY_MS}ms;`,
    `        proxy_send_timeout ${COPY_MS}ms;`,
    ...proxyHeaders({ isCopy: true }).map((header) => `        ${header}`),
    passTo(names.upstream(mirror.release)),
    '    }',
  ]
}

/** Nobody can guess it, so it is no path of the service. */
export const copyPlace = ({ salt }: MirrorRoute, service: string): string =>
  `/sluice-copy-${saltWord(`${salt} ${service}`)}`
