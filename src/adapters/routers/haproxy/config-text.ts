import { createHash } from 'node:crypto'
import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import { KEYS } from './keys.ts'
import { frontendOf, mapOf, previewOf, serverOf, slotOf } from './names.ts'
import { type KeptHere, type Placed, placedIn } from './own.ts'
import { conditionOf } from './rule-text.ts'
import { cookieAnswerLines, userLines } from './users.ts'

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

/** Fields of a log line behind its word, in the order in which `log-line.ts` reads them; the path is last, for it may hold anything. */
const LOG_FORMAT =
  '%f %b %s %pid %ST %Ta %tsc %rc %U %B %[var(txn.way)] %[var(txn.stream)] %[var(txn.visit)] %HM %HP'

/**
 * The whole configuration. Servers and weights in it are those of now, so that a reload, whoever asks for it, changes
 * nothing. `description` says in `show info` which structure a worker was started with.
 */
export const configText = (kept: KeptHere): string =>
  [
    '# Written by sluice at each change. Edits are lost.',
    globalText(kept, fingerprintOf(kept)),
    defaultsText(kept),
    NOBODY,
    ...placedIn(kept).map((placed) => serviceText(placed, serverLine(placed))),
  ].join('\n')

/** Two configurations with the same fingerprint differ in nothing that needs a reload. */
export function fingerprintOf(kept: KeptHere): string {
  const services = placedIn(kept).map((placed) => serviceText(placed, null))
  const structure = [globalText(kept, ''), defaultsText(kept), NOBODY, ...services].join('\n')
  return `sluice-${createHash('sha256').update(structure).digest('hex').slice(0, 16)}`
}

const globalText = ({ own }: KeptHere, description: string): string =>
  `global
  description '${description}'
  log 127.0.0.1:${own.logPort} len ${LOG_LINE_BYTES} format raw local0
  hard-stop-after 1h
  tune.idle-pool.shared on
`

const defaultsText = ({ own }: KeptHere): string =>
  `defaults\n  log-format "${own.logWord} ${LOG_FORMAT}"\n${DEFAULTS}`

type ServerLine = (release: string) => string[]

function serviceText(placed: Placed, servers: ServerLine | null): string {
  const { routes, place } = placed
  const parts = [
    `# ${JSON.stringify(routes.service).replaceAll(/[^\x20-\x7e]/g, '?')}`,
    liveFrontend(placed),
    ...(place.preview === null ? [] : [previewFrontend(placed, place.preview)]),
    ...place.slots.map((release, slot) =>
      backend(placed, slot, release === null || servers === null ? [] : servers(release)),
    ),
  ]
  return `${parts.join('\n')}\n`
}

function liveFrontend(placed: Placed): string {
  const { routes, place } = placed
  const map = mapOf(routes.service)
  const undecided = '!{ var(txn.to) -m found } !{ var(txn.way) -m str p }'
  const rules = routes.rules.map(
    ({ match }, at) =>
      `  http-request set-var(txn.to) int(${KEYS.rule + at}),map_int(${map}) if ${undecided} ${conditionOf(match)}`,
  )
  return `${frontendHead(frontendOf(routes.service), place.listening)}
${headerText(routes.probeKey)}
  http-request set-var(txn.closed) int(${KEYS.closed}),map_int(${map})
  http-request set-var(txn.way) str(c) if { var(txn.closed) -m found }
  http-request return status 503 content-type application/problem+json string '{"code":"SERVICE_CLOSED","message":"This service is closed while its version is exchanged.","remedy":"Come back when the time in retry-after is over.","retryable":true}' hdr sluice-error SERVICE_CLOSED hdr retry-after %[var(txn.closed)] if { var(txn.closed) -m found }
${rules.join('\n')}
  http-request set-var(txn.way) str(r) if { var(txn.to) -m found }
${userLines(placed, undecided).join('\n')}
  http-request set-var(txn.to) rand(1000),map_int(${map}) if !{ var(txn.to) -m found }
  use_backend %[var(txn.to)] if { var(txn.to) -m found }
${cookieAnswerLines(placed).join('\n')}
`
}

function previewFrontend({ routes }: Placed, listen: ListenAddress): string {
  return `${frontendHead(previewOf(routes.service), listen)}
${headerText(routes.probeKey)}
  http-request set-var(txn.to) int(${KEYS.preview}),map_int(${mapOf(routes.service)})
  http-request set-var(txn.tell) bool(true)
  use_backend %[var(txn.to)] if { var(txn.to) -m found }
`
}

const frontendHead = (name: string, listen: ListenAddress): string => `frontend ${name}
  bind ${addressText(listen)}
  log global`

/** What clients may not claim is taken off, and where the request came from is said truthfully. */
const headerText = (
  probeKey: string,
): string => `  http-request set-var(txn.way) str(p) if { req.fhdr(sluice-probe),hex -m str ${hexOf(probeKey)} }
  http-request set-var(txn.tell) bool(true) if { var(txn.way) -m str p }
  http-request set-var(txn.stream) str(s) if { req.hdr(accept) -m sub -i text/event-stream }
  http-request del-header sluice-probe
  http-request del-header sluice-variant
  http-request del-header forwarded
  http-request set-header x-forwarded-for %[src]
  http-request set-header x-forwarded-proto http
  http-request set-header x-forwarded-host %[req.hdr(host)]`

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

export const addressText = ({ host, port }: ListenAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

const hexOf = (text: string): string => Buffer.from(text, 'utf8').toString('hex').toUpperCase()
