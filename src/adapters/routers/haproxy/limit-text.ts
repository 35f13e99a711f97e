import type { ServiceLimits } from '../../../core/shared/request-policy.ts'
import { answerText, literal } from './answer-text.ts'
import { frontendOf, insideOf } from './names.ts'
import type { Placed } from './own.ts'

/**
 * HAProxy looks at a body of unknown length as far as its buffer goes (16 KiB with the head): such a body passes when it is
 * whole before that, and together with its head smaller than half of it.
 */
const LOOKED_AT_BYTES = 8 * 1024
/** The clock of HAProxy has microseconds; a thousandth of one keeps high rates exact. */
const NS_PER_SECOND = 1_000_000_000
/** Time since 1970 and a bucket together stay within 63 bits. */
const LONGEST_BUCKET_NS = 4e18

/** Why HAProxy cannot keep these limits, or `null`. */
export function whyNotLimits({ rate }: ServiceLimits): string | null {
  if (rate === undefined || rate.burst * costNs(rate) <= LONGEST_BUCKET_NS) return null
  return `HAProxy cannot count ${rate.perSecond} requests a second with a burst of ${rate.burst}: to fill that would take more than 100 years.`
}

/**
 * What is over a limit of the service is turned away, before anything else is looked at. `mine` holds for requests of this
 * service only. Bodies first, then places, then the rate, as in `src/proxy/serve.ts`.
 */
export function limitLines(placed: Placed, mine: string): string[] {
  const { service, limits = {} } = placed.routes
  const { requests, rate, bodyBytes } = limits
  return [
    ...(bodyBytes === undefined ? [] : bodyLines(bodyBytes, mine)),
    ...(requests === undefined ? [] : placeLines(service, requests, mine)),
    ...(rate === undefined ? [] : rateLines(service, rate, mine)),
    ...(requests === undefined ? [] : enterLines(service, requests, mine)),
  ]
}

/** Our own probes are few, and asked by us. */
const users = (mine: string): string => `!{ var(txn.way) -m str p }${mine}`

/**
 * The bucket is read and then written, and HAProxy has nothing that does both at once: with two threads on a busy machine
 * 3,393 of 8,000 requests came through a bucket of 3,000.
 */
export const needsOneThread = ({ routes: { limits } }: Placed): boolean => limits?.rate !== undefined

/** Where requests at the same time are counted: each tracks one entry for as long as it lives. */
export const insideText = ({ routes: { service, limits } }: Placed): string[] =>
  limits?.requests === undefined
    ? []
    : [`backend ${insideOf(service)}\n  stick-table type string len 8 size 16 store conn_cur\n`]

export function bodyLines(limit: number, mine: string): string[] {
  const isOpenEnded = '{ req.fhdr(transfer-encoding) -m found }'
  const tooLarge = answerText({
    status: 413,
    code: 'BODY_TOO_LARGE',
    text: `The body is larger than ${limit} bytes.`,
    remedy: 'Send less at once.',
    retryable: false,
  })
  const unknown = answerText({
    status: 411,
    code: 'BODY_LENGTH_UNKNOWN',
    text: `The body may have ${limit} bytes, and this one does not say how many it has.`,
    remedy: 'Send it with a Content-Length.',
    retryable: false,
  })
  return [
    `${tooLarge} if { req.fhdr(content-length) -m int gt ${limit} }${mine}`,
    `wait-for-body time 60s at-least ${Math.min(limit + 1, LOOKED_AT_BYTES)} if ${isOpenEnded}${mine}`,
    `${tooLarge} if ${isOpenEnded} { req.body_size gt ${limit} }${mine}`,
    `set-var(txn.bytes) req.hdrs,length if ${isOpenEnded}${mine}`,
    `set-var(txn.bytes) req.body_size,add(txn.bytes) if ${isOpenEnded}${mine}`,
    `${unknown} if ${isOpenEnded} { var(txn.bytes) -m int ge ${LOOKED_AT_BYTES} }${mine}`,
  ]
}

/** Looked at without a place being taken: who is turned away must not fill one. */
function placeLines(service: string, limit: number, mine: string): string[] {
  const isFull = `{ str(in),table_conn_cur(${insideOf(service)}) ge ${limit} }`
  return busyLines(service, { limit, mine, isOver: isFull })
}

/** Of two that came in the same microsecond through different threads, for one place, both may have seen it free. */
function enterLines(service: string, limit: number, mine: string): string[] {
  return [
    `track-sc0 str(in) table ${insideOf(service)} if ${users(mine)}`,
    ...busyLines(service, { limit, mine, isOver: `{ sc0_conn_cur gt ${limit} }` }),
  ]
}

type Full = { limit: number; mine: string; isOver: string }

const busyLines = (service: string, { limit, mine, isOver }: Full): string[] => [
  `set-var(txn.way) str(b) if ${users(mine)} ${isOver}`,
  `${busy(service, limit)} if { var(txn.way) -m str b }${mine}`,
]

const busy = (service: string, limit: number): string =>
  answerText({
    status: 503,
    code: 'SERVICE_BUSY',
    text: `${service} works on ${limit} requests, as many as it takes at the same time.`,
    remedy: 'Try again in a second.',
    retryable: true,
    headers: [['retry-after', '1']],
  })

/**
 * A bucket of tokens, told by the time at which it will be full again (the GCRA of ATM networks, ITU-T I.371): a request
 * costs so many nanoseconds of it, and finds no token when it would be full too late. A clock that was set back leaves a
 * time that no bucket can have: then it is full now.
 */
function rateLines(service: string, rate: NonNullable<ServiceLimits['rate']>, mine: string): string[] {
  const isUser = users(mine)
  const [full, cost] = [`proc.${frontendOf(service)}_full`, costNs(rate)]
  const isKnown = `{ var(txn.ahead) -m int 0:${rate.burst * cost} }`
  return [
    `set-var(txn.now) date(0,us),mul(1000) if ${isUser}`,
    `set-var(txn.ahead) var(${full}),sub(txn.now) if ${isUser}`,
    `set-var(txn.ahead) int(0) if ${isUser} !${isKnown}`,
    `set-var(txn.over) var(txn.ahead),sub(${(rate.burst - 1) * cost}) if ${isUser}`,
    `set-var(${full}) var(txn.now),add(txn.ahead),add(${cost}) if ${isUser} { var(txn.over) -m int le 0 }`,
    `set-var(txn.wait) var(txn.over),add(${NS_PER_SECOND - 1}),div(${NS_PER_SECOND}) if ${isUser} { var(txn.over) -m int gt 0 }`,
    `set-var(txn.way) str(q) if { var(txn.wait) -m found }${mine}`,
    `${tooOften(service, rate.perSecond, 'second')} if { var(txn.wait) -m int 1 }${mine}`,
    `${tooOften(service, rate.perSecond, 'seconds')} if { var(txn.wait) -m found }${mine}`,
  ]
}

const costNs = ({ perSecond }: { perSecond: number }): number =>
  Math.max(1, Math.round(NS_PER_SECOND / perSecond))

const tooOften = (service: string, perSecond: number, unit: string): string =>
  answerText({
    status: 429,
    code: 'RATE_EXCEEDED',
    text: `${literal(service)} takes ${perSecond} requests a second, and there were more.`,
    remedy: `Come back in %[var(txn.wait)] ${unit}.`,
    retryable: true,
    headers: [['retry-after', '%[var(txn.wait)]']],
    isFilled: true,
  })
