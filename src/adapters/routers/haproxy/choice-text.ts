import { addressText } from './address-text.ts'
import { answerText, literal } from './answer-text.ts'
import { type Claim, claimsAt, type Door, showingsAt, shownToOthers } from './door.ts'
import { frontendOf } from './names.ts'
import type { Placed } from './own.ts'
import { hexOf, isBytes } from './rule-text.ts'

/**
 * Whose a request is stands in `txn.at`, by the name that its frontend would have alone; where it is nobody's, that is
 * answered at once. Host names are compared without port and dot at the end, paths byte by byte and whole segments.
 */
export function choiceLines(door: Door): string[] {
  if (!door.isSelective) return []
  const isOpen = '!{ var(txn.at) -m found }'
  return [
    `${answerText(NO_HOST)} if !{ req.fhdr(host) -m found } !{ req.ver 1.0 }`,
    'set-var(txn.host) req.fhdr(host),lower,regsub(:[0-9]+$,),regsub([.]$,)',
    `set-var(txn.domain) var(txn.host),${BEHIND_LABEL} if { var(txn.host) -m reg ^[^.]+[.] }`,
    'set-var-fmt(txn.path) "%[path,hex]2F"',
    // A path of other letters than bytes is in no request.
    ...claimsAt(door).flatMap((claim) =>
      isBytes(claim.path) ? [`set-var(txn.at) str(${at(claim.placed)}) if ${isOpen}${fits(claim)}`] : [],
    ),
    `${answerText(nobodys(door, 'a request without a host'))} if ${isOpen} !{ var(txn.host) -m found }`,
    `${answerText(nobodys(door, '%[var(txn.host),bytes(0,253),json(utf8s)]'))} if ${isOpen}`,
    ...misdirectedLines(door),
  ]
}

/** The word for a service in `txn.at`. */
const at = ({ routes }: Placed): string => frontendOf(routes.service)

/** What stands behind the first label of a name. */
const BEHIND_LABEL = 'regsub(^[^.]+,)'

function fits({ kind, hosts, path }: Claim): string {
  const isBelow = path === '/' ? '' : ` { var(txn.path) -m beg ${hexOf(`${path}/`)} }`
  if (kind === 'every') return isBelow
  return ` { var(txn.${kind === 'host' ? 'host' : 'domain'}) -m str ${hosts.join(' ')} }${isBelow}`
}

/** A request under another name than that of the certificate that the client was shown (`src/proxy/entrance.ts`). */
function misdirectedLines(door: Door): string[] {
  if (!door.isSecure || door.members.length < 2) return []
  const showings = showingsAt(door)
  const [fallback, isOpen] = [shownToOthers(door), '!{ var(txn.shown) -m found }']
  const shows = (placed: Placed, condition: string) => `set-var(txn.shown) str(${at(placed)}) if ${condition}`
  return [
    'set-var(txn.sni) ssl_fc_sni,lower,regsub([.]$,)',
    ...showings.flatMap(({ placed, names }) =>
      names.length === 0 ? [] : [shows(placed, `{ var(txn.sni) -m str ${names.join(' ')} }`)],
    ),
    ...showings.flatMap(({ placed, patterns }) =>
      patterns.length === 0
        ? []
        : [shows(placed, `${isOpen} { var(txn.sni),${BEHIND_LABEL} -m str ${domains(patterns)} }`)],
    ),
    ...(fallback === undefined ? [] : [shows(fallback, isOpen)]),
    ...door.members.map(
      (placed) =>
        `set-var(txn.other) bool(true) if { var(txn.shown) -m str ${at(placed)} } !{ var(txn.at) -m str ${at(placed)} }${uncovered(placed)}`,
    ),
    // Counted for nobody.
    'unset-var(txn.at) if { var(txn.other) -m found }',
    `${answerText(MISDIRECTED)} if { var(txn.other) -m found }`,
  ]
}

function uncovered({ place }: Placed): string {
  const all = (place.tls?.names ?? []).map((name) => name.toLowerCase()).filter((name) => NAME.test(name))
  const [patterns, names] = [
    all.filter((name) => name.startsWith('*')),
    all.filter((name) => !name.startsWith('*')),
  ]
  return [
    ...(names.length === 0 ? [] : [` !{ var(txn.host) -m str ${names.join(' ')} }`]),
    ...(patterns.length === 0 ? [] : [` !{ var(txn.domain) -m str ${domains(patterns)} }`]),
  ].join('')
}

/** A certificate may be for anything; this is what can stand in a Host header, and in a configuration. */
const NAME = /^(\*\.)?[0-9a-z._-]{1,253}$/

const domains = (patterns: readonly string[]): string => patterns.map((pattern) => pattern.slice(1)).join(' ')

const NO_HOST = {
  status: 400,
  code: 'REQUEST_MALFORMED',
  text: 'The request has no Host header.',
  remedy: 'Send a request that follows RFC 9112.',
  retryable: false,
}

const nobodys = (door: Door, host: string) => ({
  status: 404,
  code: 'NO_SUCH_SERVICE',
  text: `No service at ${literal(addressText(door.listening))} takes this path of ${host}.`,
  remedy: 'Look at the host name and the path; hosts and paths of the services are in the file of Sluice.',
  retryable: false,
  isFilled: true,
})

const MISDIRECTED = {
  status: 421,
  code: 'HOST_MISDIRECTED',
  text: 'This connection was opened for another host than %[var(txn.host),bytes(0,253),json(utf8s)].',
  remedy: 'Open a connection with the name of the host in the TLS handshake (SNI).',
  retryable: false,
  isFilled: true,
}
