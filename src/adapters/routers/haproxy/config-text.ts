import { createHash } from 'node:crypto'
import { addressText } from './address-text.ts'
import { certificateListText } from './certificate-list.ts'
import { doorsIn } from './door.ts'
import { doorText, previewText } from './front-text.ts'
import { KEYS } from './keys.ts'
import { insideText } from './limit-text.ts'
import { mapOf, serverOf, slotOf } from './names.ts'
import { type KeptHere, type Placed, placedIn } from './own.ts'
import { LOG_RING, LOG_SOCKET } from './worker-log.ts'

/** One log line; a path is cut off behind it. */
const LOG_LINE_BYTES = 900
/** What the built-in proxy grants too (`src/proxy/limits.ts`). */
const DEFAULTS = `  mode http
  option idle-close-on-response
  option dontlognull
  http-reuse safe
  retries 2
  option redispatch 1
  timeout connect 1s
  timeout http-request 10s
  timeout http-keep-alive 75s
  timeout client 60s
  timeout server 60s
  timeout client-fin 10s
  timeout tunnel 1h
  http-error status 503 content-type application/problem+json string '{"code":"NO_INSTANCE","message":"No instance of this service takes requests.","remedy":"Try again in a second.","retryable":true}' hdr sluice-error NO_INSTANCE hdr retry-after 1
  http-error status 502 content-type application/problem+json string '{"code":"INSTANCE_RESET","message":"The instance closed the connection before it answered.","remedy":"Try again if the request may be repeated.","retryable":true}'
  http-error status 504 content-type application/problem+json string '{"code":"INSTANCE_TIMEOUT","message":"The instance did not answer within 60 s.","remedy":"Try again later.","retryable":true}'
`

/** HAProxy refuses a configuration without any listener, and may have no service yet. */
const NOBODY = `frontend nobody
  bind unix@nobody.sock mode 600
`

/** Fields of a log line, in the order in which `log-line.ts` reads them; the path is last, for it may hold anything. */
const LOG_FORMAT =
  '%f %b %s %pid %ST %Ta %tsc %rc %U %B %[var(txn.at)] %[var(txn.way)] %[var(txn.stream)] %[var(txn.visit)] %HM %HP'

/**
 * The whole configuration. Servers and weights in it are those of now, so that a reload, whoever asks for it, changes
 * nothing. `description` says in `show info` which structure a worker was started with.
 */
export const configText = (kept: KeptHere): string =>
  [
    '# Written by sluice at each change. Edits are lost.',
    globalText(fingerprintOf(kept)),
    DEFAULTS_TEXT,
    NOBODY,
    ...doorsIn(kept).map(doorText),
    ...placedIn(kept).map((placed) => serviceText(placed, serverLine(placed))),
  ].join('\n')

/** Two configurations with the same fingerprint differ in nothing that needs a reload. */
export function fingerprintOf(kept: KeptHere): string {
  const doors = doorsIn(kept).flatMap((door) => [doorText(door), certificateListText(door)])
  const services = placedIn(kept).map((placed) => serviceText(placed, null))
  const structure = [globalText(''), DEFAULTS_TEXT, NOBODY, ...doors, ...services].join('\n')
  return `sluice-${createHash('sha256').update(structure).digest('hex').slice(0, 16)}`
}

/** Nothing is written anywhere: each worker keeps its lines until they are read (`worker-log.ts`), or newer ones need the room. */
const LOG_RING_BYTES = 8 * 1024 * 1024
/** Whoever reads the log says nothing more, and there may be no line for long; a worker that leaves is ended earlier. */
const LOG_SILENCE = '2h'

const globalText = (description: string): string =>
  `global
  description '${description}'
  stats socket unix@${LOG_SOCKET} mode 600 level operator
  stats timeout ${LOG_SILENCE}
  log ring@${LOG_RING} len ${LOG_LINE_BYTES} format raw local0
  hard-stop-after 1h
  tune.idle-pool.shared on
ring ${LOG_RING}
  format raw
  maxlen ${LOG_LINE_BYTES}
  size ${LOG_RING_BYTES}
`

const DEFAULTS_TEXT = `defaults\n  log-format "${LOG_FORMAT}"\n${DEFAULTS}`

type ServerLine = (release: string) => string[]

function serviceText(placed: Placed, servers: ServerLine | null): string {
  const { routes, place } = placed
  const parts = [
    `# ${JSON.stringify(routes.service).replaceAll(/[^\x20-\x7e]/g, '?')}`,
    ...(place.preview === null ? [] : [previewText(placed, place.preview)]),
    ...insideText(placed),
    ...place.slots.map((release, slot) =>
      backend(placed, slot, release === null || servers === null ? [] : servers(release)),
    ),
  ]
  return `${parts.join('\n')}\n`
}

/** A backend has one release at a time. Event streams are quiet by nature. */
function backend({ routes }: Placed, slot: number, servers: readonly string[]): string {
  const release = `int(${KEYS.release + slot}),map_int(${mapOf(routes.service)})`
  return [
    `backend ${slotOf(routes.service, slot)}`,
    '  balance roundrobin',
    '  http-request set-timeout server 1h if { var(txn.stream) -m str s }',
    `  http-response set-header sluice-release %[${release},b64dec] if { var(txn.tell) -m bool }`,
    ...servers,
    '',
  ].join('\n')
}

const serverLine =
  ({ routes }: Placed): ServerLine =>
  (release) =>
    routes.sets
      .filter((set) => set.release === release)
      .flatMap((set) => set.instances)
      .filter(({ state }) => state === 'active')
      .map(
        (instance) =>
          `  server ${serverOf(release, instance)} ${addressText(instance)} ${serverWords(routes)}`,
      )

/** Also for a server that is added while HAProxy runs. Unused connections go before an instance gives them up by itself. */
export const serverWords = ({ slowStartMs }: Placed['routes']): string =>
  `weight 100 pool-purge-delay 1s${slowStartMs === 0 ? '' : ` slowstart ${slowStartMs}ms`}`
