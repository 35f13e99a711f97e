import { readVisit } from '../../tools/log-arms.ts'
import type { LogEnd, LogLine } from '../../tools/log-counts.ts'
import { recordIn } from '../../tools/log-file.ts'
import type { CopiedLine, CopyLine } from '../../tools/log-shadow.ts'
import { COPY_LINE } from './mirror.ts'
import { unpacked } from './words.ts'

export type Reading =
  | { kind: 'request'; line: LogLine; atS: number }
  /** A question of our own. */
  | { kind: 'control'; atS: number }
  /** No request of a user. */
  | { kind: 'copy'; line: CopyLine }

export type Break = 'reset' | 'timeout'
/**
 * An instance broke an answer off: nginx says so in its error log only, by the number of the connection. Lines of one
 * connection come together, the broken one the last of them: its instance tells which one it is.
 */
export type Broken = { connection: string; address: string; how: Break }
/** What the error log said before; told once. */
export type BrokenBy = (connection: string, address: string) => Break | null

/**
 * Stands between what many requests have in common and what is of this one. No client can bring it in: nginx escapes
 * control characters.
 */
export const PART = '\u001f'

const KIND_FIELDS = 12
const OWN_FIELDS = 9
const COPY_FIELDS = 7

/** Reads a line of the access log as `service.ts` and `configuration.ts` format it; `null` for what is none, or a piece of one. */
export function readLine(text: string, brokenBy: BrokenBy): Reading | null {
  const body = recordIn(text)
  if (body === null) return null
  const end = body.indexOf(PART)
  if (end >= 0) return readRequest(kindOf(body.slice(0, end)), fieldsOf(body.slice(end + 1)), brokenBy)
  const fields = fieldsOf(body)
  if (fields?.length === 1) return { kind: 'control', atS: Number(fields[0]) }
  return fields?.length === COPY_FIELDS && fields[0] === COPY_LINE ? readCopy(fields) : null
}

const BROKEN = /^[^*]*\*(\d+) (.*) while reading upstream.*, upstream: "http:\/\/([^/"]+)/

/** Reads a line of the error log. */
export function readBroken(text: string): Broken | null {
  const found = BROKEN.exec(text)
  if (found === null) return null
  const [, connection = '', what = '', address = ''] = found
  return { connection, address, how: what.startsWith('upstream timed out') ? 'timeout' : 'reset' }
}

/** What many requests have in common. */
type Kind = {
  service: string
  by: LogLine['by']
  release: string
  status: number
  method: string
  path: string
  isWhole: boolean
  isLong: boolean
  isProbe: boolean
  isClosed: boolean
  limited: NonNullable<LogLine['limited']> | null
  /** Addresses that were tried, in order. */
  instances: readonly string[]
}

/** They are the same few, and reading one takes longer than all the rest of a line. */
const kinds = new Map<string, Kind | null>()
const KINDS_KEPT = 2_000

function kindOf(text: string): Kind | null {
  const known = kinds.get(text)
  if (known !== undefined) return known
  if (kinds.size >= KINDS_KEPT) kinds.clear()
  // A copy: a piece of a text holds all of it in memory, and this one is a piece of thousands of lines.
  const own = Buffer.from(text, 'latin1').toString('latin1')
  const kind = readKind(own)
  kinds.set(own, kind)
  return kind
}

function readKind(text: string): Kind | null {
  const fields = fieldsOf(text)
  if (fields?.length !== KIND_FIELDS) return null
  const at = (index: number): string => fields[index] ?? ''
  const status = Number(at(5))
  return {
    service: unpacked(at(0)),
    by: byOf(at(1)),
    release: unpacked(at(2)),
    isProbe: at(3) === '1',
    isClosed: at(4) === 'SERVICE_CLOSED',
    status,
    method: at(6).slice(0, 32) || '-',
    path: at(7),
    isWhole: at(8) === 'OK',
    isLong: status === 101 || at(9).startsWith('text/event-stream'),
    instances: listOf(at(10)),
    limited: limitedOf(at(11)),
  }
}

function readRequest(
  kind: Kind | null,
  fields: readonly string[] | null,
  brokenBy: BrokenBy,
): Reading | null {
  if (kind === null || fields?.length !== OWN_FIELDS) return null
  const [time = '', length = '', sent = '', connect = '', header = ''] = fields
  const [connection = '', msec = '', visiting = '', copying = ''] = fields.slice(5)
  const { service, by, status, method, path, isLong, isProbe, isClosed, limited, instances } = kind
  // A body that turned out to be too large has an instance, which did not say so.
  const isTooLarge = status === 413 && listOf(header).at(-1) === '-'
  const wasServed = instances.length > 0 && !isTooLarge
  const broken = wasServed ? brokenBy(connection, instances.at(-1) ?? '') : null
  const visit = visiting === '' ? null : readVisit(visiting)
  const copied = copying === '' ? null : readCopied(copying)
  const line: LogLine = {
    service,
    by,
    release: wasServed ? kind.release : null,
    status,
    // The time of a copied request is that of its copy, if that took longer; its instance knows better.
    ms: copied?.answeredMs ?? msOf(time),
    method,
    path,
    bytesIn: wholeNumber(length),
    bytesOut: wholeNumber(sent),
    end: wasServed ? endOf(kind, { connect, header, broken }) : status === 499 ? 'client-abort' : 'complete',
    isLong,
    isProbe,
    isClosed,
    ...(limited === null ? {} : { limited }),
    retries: Math.max(0, instances.length - 1),
    connectFailures: connect.includes('-') ? listOf(connect).filter((one) => one === '-').length : 0,
    ...(visit === null ? {} : { visit }),
    ...(copied === null ? {} : { copied: copied.line }),
  }
  return { kind: 'request', line, atS: Number(msec) }
}

const limitedOf = (text: string): Kind['limited'] => (text === 'requests' || text === 'rate' ? text : null)

/** What `mirror.ts` adds to the line of a request that is copied. */
function readCopied(text: string): { line: CopiedLine; answeredMs: number | null } | null {
  const [, copying, id = '', heads = '', answers = ''] =
    /^([0-9a-f]{16});([0-9a-f]{32})?;([^;]*);([^;]*)$/.exec(text) ?? []
  if (copying === undefined) return null
  if (id === '') return { line: { copying, id: null, ms: 0 }, answeredMs: null }
  return { line: { copying, id, ms: sumMs(heads) }, answeredMs: sumMs(answers) }
}

function readCopy(fields: readonly string[]): Reading {
  const [, service = '', copying = '', id = '', status = '', connects = '', heads = ''] = fields
  const end = endOfCopy(Number(status), connects, heads)
  return { kind: 'copy', line: { service: unpacked(service), copying, id, end } }
}

/** Without an answer of the shadow the status is nginx's own. */
function endOfCopy(status: number, connects: string, heads: string): CopyLine['end'] {
  const [connected, head] = [listOf(connects).at(-1), listOf(heads).at(-1)]
  if (connected === undefined) return { kind: 'busy' }
  if (head !== undefined && head !== '-') return { kind: 'answered', status, ms: sumMs(heads) }
  if (status === 499) return { kind: 'unfinished' }
  if (connected === '-') return { kind: 'failed', by: 'connectFailures' }
  return { kind: 'failed', by: status === 504 ? 'timeouts' : 'resets' }
}

/** Of all attempts. */
const sumMs = (times: string): number => listOf(times).reduce((sum, time) => sum + msOf(time), 0)
const msOf = (seconds: string): number => Math.max(0, Math.round(Number(seconds) * 1_000)) || 0

type Course = { connect: string; header: string; broken: Break | null }

/** A 502 or 504 is nginx's own when the instance sent no head; then the time to connect says how far it came. */
function endOf({ status, isWhole }: Kind, { connect, header, broken }: Course): LogEnd {
  if (status === 499) return 'client-abort'
  if ((status === 502 || status === 504) && listOf(header).at(-1) === '-') {
    if (listOf(connect).at(-1) === '-') return 'connect-failed'
    return status === 504 ? 'timeout' : 'reset'
  }
  if (broken !== null) return broken
  return isWhole || status === 101 ? 'complete' : 'client-abort'
}

/** `10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80`: attempts in order; after a colon those of another location. */
function listOf(text: string): string[] {
  if (text === '') return []
  return text.includes(' ') ? text.split(/, | : /) : [text]
}

const byOf = (text: string): LogLine['by'] => (text === 'rule' || text === 'preview' ? text : 'weight')

function wholeNumber(text: string): number {
  const value = Number(text)
  return Number.isSafeInteger(value) && value > 0 ? value : 0
}

/** A line in which nothing had to be escaped is only cut, which takes a third of the time. */
function fieldsOf(body: string): string[] | null {
  if (body.startsWith('["') && body.endsWith('"]') && !body.includes('\\'))
    return body.slice(2, -2).split('","')
  try {
    const fields: unknown = JSON.parse(body)
    return Array.isArray(fields) && fields.every((field) => typeof field === 'string') ? fields : null
  } catch {
    return null
  }
}
