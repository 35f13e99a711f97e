import { isIPv4 } from 'node:net'
import type { DrainLimits } from '../../../core/shared/routes.ts'
import { RECORD } from '../../tools/log-file.ts'
import { alias, withoutAliases } from './aliases.ts'
import { TOLD_HOST } from './answers.ts'
import { doorText } from './door-text.ts'
import { doorsOf } from './doors.ts'
import { proxyHeaders } from './proxy-headers.ts'
import { accessLog, BROKEN_LOG, OF_NOBODY } from './request-log.ts'
import { type Served, serviceText } from './service.ts'
import { UNREACHED } from './unreached.ts'
import { DOLLAR_VARIABLE, digestOf } from './words.ts'

export type ConfigurationInput = {
  services: readonly Served[]
  /** Absolute paths in a folder of our own. */
  places: { errors: string; pid: string; temporary: string }
  /** Workers: as many as this program may use cores. nginx's own `auto` counts those of the machine. */
  workers: number
}

/** `digest` is the marker by which the running program says which configuration it follows. */
export type Configuration = { text: string; digest: string }

/** What nginx itself grants an old worker, for when no controller is there to end it at its limits: an hour at least. */
const LEAVING_MS = 3_600_000

/** The longest that anything may go on that began before a change. */
export const longestDrainMs = (drains: readonly DrainLimits[]): number =>
  Math.max(0, ...drains.flatMap(({ requestsMs, websocketsMs }) => [requestsMs, websocketsMs]))

/** All of nginx's configuration: it stands on no file but its own. The same services make the same text. */
export function configurationOf(input: ConfigurationInput): Configuration {
  const services = input.services.toSorted((one, other) =>
    one.routes.service < other.routes.service ? -1 : 1,
  )
  const withMarker = (marker: string): string =>
    withoutAliases(
      [
        '# Written by Sluice, and written anew with each change: edits are reported and then lost.',
        mainText(input),
        'http {',
        httpText(input, marker),
        ...(services.some(({ pair }) => pair !== null) ? [TLS] : []),
        ...services.map((served) => serviceText(served)),
        ...doorsOf(services).map((door) => doorText(door)),
        '}',
        '',
      ].join('\n'),
    )
  const digest = digestOf(withMarker(''))
  return { text: withMarker(digest), digest }
}

/** A unix socket in our folder, for nobody else. */
export const CONTROL_SOCKET = 'control.sock'

const MARKER = /return 200 "([0-9a-f]{16}) \$pid"/

/** The marker in a text, if the rest of it is what the marker was made of: nobody changed it by hand. */
export function untouchedDigest(text: string): string | null {
  const digest = MARKER.exec(text)?.[1] ?? null
  if (digest === null) return null
  return digestOf(text.replaceAll(digest, '')) === digest ? digest : null
}

function mainText({ services, places, workers }: ConfigurationInput): string {
  const drains = services.map(({ routes }) => routes.drain)
  return [
    `worker_processes ${workers};`,
    // Each request is held against some regular expressions.
    'pcre_jit on;',
    `worker_shutdown_timeout ${Math.max(LEAVING_MS, 2 * longestDrainMs(drains))}ms;`,
    `pid ${places.pid};`,
    // What goes wrong with requests is told by the log lines.
    `error_log ${places.errors} crit;`,
    'events { worker_connections 10240; }',
  ].join('\n')
}

/** The limits are those of the built-in proxy (`src/proxy/limits.ts`), as far as nginx knows them. */
function httpText({ places, services }: ConfigurationInput, marker: string): string {
  const { temporary } = places
  return [
    `error_log ${BROKEN_LOG} error;`,
    `error_log ${places.errors} crit;`,
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${temporary}/${kind};`,
    ),
    HTTP,
    DOLLAR_VARIABLE,
    MAPS,
    UNREACHED,
    peerText(services),
    schemeText(services),
    TOLD_HOST,
    limitedText(services),
    `log_format ${OF_NOBODY} escape=json '${RECORD}["$msec"]';`,
    'server {',
    // As seen from the folder in which nginx was started: an absolute path may be longer than the kernel allows.
    `    listen unix:../${CONTROL_SOCKET};`,
    accessLog(OF_NOBODY),
    `    location = /marker { return 200 "${marker} $pid"; }`,
    '    location = /status { add_header sluice-now $msec; stub_status; }',
    '}',
  ].join('\n')
}

/** As the built-in proxy does (`src/proxy/tls/secure-door.ts`). HTTP/1.1 is all that is spoken inside. */
const TLS = 'ssl_protocols TLSv1.2 TLSv1.3;'

const HTTP = `server_tokens off;
request_pool_size 16k;
underscores_in_headers on;
client_header_timeout 10s;
client_body_timeout 60s;
client_max_body_size 10g;
large_client_header_buffers 2 16k;
keepalive_timeout 75s;
keepalive_requests 100000;
send_timeout 300s;
proxy_http_version 1.1;
proxy_buffering off;
proxy_request_buffering off;
proxy_buffer_size 64k;
proxy_buffers 8 64k;
proxy_connect_timeout 1s;
proxy_read_timeout 60s;
proxy_send_timeout 60s;
proxy_next_upstream error;
proxy_next_upstream_tries 3;
proxy_next_upstream_timeout 3s;
proxy_pass_header Date;
proxy_pass_header Server;
proxy_redirect off;
uninitialized_variable_warn off;
${proxyHeaders().join('\n')}
server_names_hash_max_size 16384;
server_names_hash_bucket_size 512;
recursive_error_pages on;
variables_hash_max_size 16384;
variables_hash_bucket_size 256;
map_hash_max_size 16384;
map_hash_bucket_size 512;
proxy_headers_hash_max_size 1024;
proxy_headers_hash_bucket_size 128;`

/** Each request is asked all of it: words are looked up, which costs a tenth of an expression, and without regard to case. */
const MAPS = `map $http_upgrade $sluice_upgrade { default ""; websocket websocket; }
map $sluice_upgrade $sluice_connection { default close; websocket upgrade; }
map $http_accept $sluice_stream { default ""; text/event-stream 1; }
map $http_upgrade $sluice_long { default $sluice_stream; websocket 1; }
map $upstream_http_cache_control $sluice_private { default 1; "~*(public|s-maxage)" 0; }
map $request_uri $sluice_whole_path { default ""; "~^([^?]*)" $1; }
map $request_uri $sluice_path { default /; "~^(/[^/?#]{0,40})" $1; }`

/** Who asks, as RFC 7239 wants an address written. */
const peerText = (services: readonly Served[]): string =>
  services.every(
    ({ listening, preview }) => isIPv4(listening.host) && (preview === null || isIPv4(preview.host)),
  )
    ? alias('$sluice_peer', '$remote_addr')
    : `map $remote_addr $sluice_peer { default $remote_addr; "~:" '"[$remote_addr]"'; }`

const schemeText = (services: readonly Served[]): string =>
  alias('$sluice_scheme', services.some(({ pair }) => pair !== null) ? '$scheme' : 'http')

/** An nginx without these modules does not know their variables, and serves all the same. */
const limitedText = (services: readonly Served[]): string =>
  services.some(({ routes: { limits } }) => limits !== undefined)
    ? 'map "$limit_conn_status $limit_req_status" $sluice_limited { default ""; "~^REJECTED " requests; "~ REJECTED$" rate; }'
    : alias('$sluice_limited', '""')
