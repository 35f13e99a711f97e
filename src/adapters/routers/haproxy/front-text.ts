import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import { addressText } from './address-text.ts'
import { answerText } from './answer-text.ts'
import { certificateListOf } from './certificate-list.ts'
import { choiceLines } from './choice-text.ts'
import type { Door } from './door.ts'
import { KEYS } from './keys.ts'
import { bodyLines, limitLines, needsOneThread } from './limit-text.ts'
import { frontendOf, mapOf, previewOf } from './names.ts'
import type { Placed } from './own.ts'
import { conditionOf } from './rule-text.ts'
import { cookieAnswerLines, userLines } from './users.ts'

/** Of TLS what the built-in proxy speaks, too (`src/proxy/tls/secure-door.ts`). */
const TLS_WORDS = 'ssl-min-ver TLSv1.2 alpn http/1.1'

/** Where requests of users come in: whose they are, what is not let in, and which release takes each. */
export function doorText(door: Door): string {
  const { name, listening, isSecure, members } = door
  const secure = isSecure ? ` ssl crt-list ${certificateListOf(door)} ${TLS_WORDS}` : ''
  const threads = members.some(needsOneThread) ? ' thread 1' : ''
  return frontend(`frontend ${name}\n  bind ${addressText(listening)}${secure}${threads}\n  log global`, {
    asked: [
      ...choiceLines(door),
      ...members.flatMap((placed) => probeLines(placed.routes.probeKey, mineAt(door, placed))),
      ...headerLines(isSecure),
      ...members.flatMap((placed) => serviceLines(placed, mineAt(door, placed))),
    ],
    answered: members.flatMap((placed) => cookieAnswerLines(placed, mineAt(door, placed))),
  })
}

/** One release at an address of its own, which always speaks plain HTTP. */
export function previewText({ routes }: Placed, listen: ListenAddress): string {
  const { service, probeKey, limits } = routes
  return frontend(`frontend ${previewOf(service)}\n  bind ${addressText(listen)}\n  log global`, {
    asked: [
      ...probeLines(probeKey, ''),
      ...headerLines(false),
      ...(limits?.bodyBytes === undefined ? [] : bodyLines(limits.bodyBytes, '')),
      `set-var(txn.to) int(${KEYS.preview}),map_int(${mapOf(service)})`,
      'set-var(txn.tell) bool(true)',
    ],
    answered: [],
  })
}

type Lines = { asked: readonly string[]; answered: readonly string[] }

const frontend = (head: string, { asked, answered }: Lines): string =>
  [
    head,
    ...asked.map((line) => `  http-request ${line}`),
    '  use_backend %[var(txn.to)] if { var(txn.to) -m found }',
    ...answered.map((line) => `  http-response ${line}`),
    '',
  ].join('\n')

/** Where others are at the same door, each line is for requests of one service alone. */
const mineAt = ({ isSelective }: Door, { routes }: Placed): string =>
  isSelective ? ` { var(txn.at) -m str ${frontendOf(routes.service)} }` : ''

const probeLines = (probeKey: string, mine: string): string[] => [
  `set-var(txn.way) str(p) if { req.fhdr(sluice-probe),hex -m str ${hexOf(probeKey)} }${mine}`,
]

/** What clients may not claim is taken off, and where the request came from is said truthfully. */
const headerLines = (isSecure: boolean): string[] => [
  'set-var(txn.tell) bool(true) if { var(txn.way) -m str p }',
  'set-var(txn.stream) str(s) if { req.hdr(accept) -m sub -i text/event-stream }',
  'del-header sluice-probe',
  'del-header sluice-variant',
  'set-header x-forwarded-for %[src]',
  `set-header forwarded for=%[src];proto=${isSecure ? 'https' : 'http'} if { src 0.0.0.0/0 }`,
  `set-header forwarded 'for="[%[src]]";proto=${isSecure ? 'https' : 'http'}' if !{ src 0.0.0.0/0 }`,
  `set-header x-forwarded-proto ${isSecure ? 'https' : 'http'}`,
  'set-header x-forwarded-host %[req.hdr(host)]',
]

function serviceLines(placed: Placed, mine: string): string[] {
  const { routes } = placed
  const map = mapOf(routes.service)
  const undecided = '!{ var(txn.to) -m found } !{ var(txn.way) -m str p }'
  return [
    ...limitLines(placed, mine),
    `set-var(txn.closed) int(${KEYS.closed}),map_int(${map}) if TRUE${mine}`,
    `set-var(txn.way) str(c) if { var(txn.closed) -m found }${mine}`,
    `${answerText(CLOSED)} if { var(txn.closed) -m found }${mine}`,
    ...routes.rules.map(
      ({ match }, at) =>
        `set-var(txn.to) int(${KEYS.rule + at}),map_int(${map}) if ${undecided} ${conditionOf(match)}${mine}`,
    ),
    `set-var(txn.way) str(r) if { var(txn.to) -m found }${mine}`,
    ...userLines(placed, undecided, mine),
    `set-var(txn.to) rand(1000),map_int(${map}) if !{ var(txn.to) -m found }${mine}`,
  ]
}

const CLOSED = {
  status: 503,
  code: 'SERVICE_CLOSED',
  text: 'This service is closed while its version is exchanged.',
  remedy: 'Come back when the time in retry-after is over.',
  retryable: true,
  headers: [
    ['sluice-error', 'SERVICE_CLOSED'],
    ['retry-after', '%[var(txn.closed)]'],
  ],
} as const

const hexOf = (text: string): string => Buffer.from(text, 'utf8').toString('hex').toUpperCase()
