import { routeClass } from '../../../core/shared/route-class.ts'
import { readVisit } from '../../tools/log-arms.ts'
import type { LogEnd, LogLine } from '../../tools/log-counts.ts'
import { type Line, recordIn, textOf } from '../../tools/log-file.ts'
import type { CopiedLine, CopyLine } from '../../tools/log-shadow.ts'
import { COPY_LINE } from './mirror.ts'
import { unpacked } from './words.ts'

export type Reading =
  | { kind: 'request'; line: LogLine; atS: number }
  /** By a worker that goes on with the configuration of another version of Sluice: a request, of which no more is known. */
  | { kind: 'foreign' }
  /** A question of our own. */
  | { kind: 'control'; atS: number }
  /** No request of a user. */
  | { kind: 'copy'; line: CopyLine }

export type Break = 'reset' | 'timeout'
/**
 * An instance broke an answer off: nginx says so in its error log only, by the number of the connection. Lines of one
 * connection come together, the broken one the last of them: its instance tells which one it is.
 */
export type Broken = { connection: number; address: string; how: Break }
/** What the error log said before; told once. */
export type BrokenBy = (connection: number, address: string) => Break | null

/**
 * Stands between what many requests have in common, what is of this one, and what few have to say. No client can bring it
 * in: nginx escapes control characters.
 */
export const PART = '\u001f'
const PART_BYTE = 0x1f

/** Begins each line of a request. To be raised with each change of what stands in it, or in which order. */
export const VERSION = '2'

const KIND_FIELDS = 12
const OTHER_FIELDS = 3
const COPY_FIELDS = 7

/** Reads a line of the access log as `service.ts` and `configuration.ts` format it; `null` for what is none, or a piece of one. */
export function readLine(line: Line, brokenBy: BrokenBy): Reading | null {
  const body = recordIn(line)
  if (body === null) return null
  const known = knownAt(body)
  if (known !== null) return known.isForeign ? FOREIGN : readRequest(known, body, brokenBy)
  const fields = fieldsOf(textOf(body))
  if (fields?.length === 1) return { kind: 'control', atS: Number(fields[0]) }
  return fields?.length === COPY_FIELDS && fields[0] === COPY_LINE ? readCopy(fields) : null
}

const BROKEN = /^[^*]*\*(\d+) (.*) while reading upstream.*, upstream: "http:\/\/([^/"]+)/

/** Reads a line of the error log. */
export function readBroken(line: Line): Broken | null {
  const found = BROKEN.exec(textOf(line))
  if (found === null) return null
  const [, connection = '', what = '', address = ''] = found
  return {
    connection: Number(connection),
    address,
    how: what.startsWith('upstream timed out') ? 'timeout' : 'reset',
  }
}

const FOREIGN: Reading = { kind: 'foreign' }

/** What many requests have in common. */
type Kind = {
  service: string
  by: LogLine['by']
  release: string
  status: number
  route: string
  isWhole: boolean
  isLong: boolean
  isProbe: boolean
  isClosed: boolean
  limited: NonNullable<LogLine['limited']> | null
  /** Addresses that were tried, in order. */
  instances: readonly string[]
}

/** `bytes` are as they stand in a line, with `PART` behind them. */
type Known = { bytes: Buffer; kind: Kind | null; isForeign: boolean }
/** They are the same few, and reading one takes longer than all the rest of a line. */
const kinds = new Map<string, Known>()
const KINDS_KEPT = 2_000
/** The next line is often of the same kind, and then nothing has to be looked up. */
let latest: Known = { bytes: Buffer.from(PART), kind: null, isForeign: false }

/** What a line begins with; `null` where it has only one part. */
function knownAt(line: Line): Known | null {
  if (beginsWith(line, latest.bytes)) return latest
  const { bytes, from, to } = line
  const end = bytes.indexOf(PART_BYTE, from)
  if (end < 0 || end >= to) return null
  latest = knownOf(bytes.toString('latin1', from, end + 1))
  return latest
}

function knownOf(text: string): Known {
  const known = kinds.get(text)
  if (known !== undefined) return known
  if (kinds.size >= KINDS_KEPT) kinds.clear()
  const version = /^(\d*)\[/.exec(text)?.[1]
  const isForeign = version !== undefined && version !== VERSION
  const kind = version === VERSION ? readKind(text.slice(VERSION.length, -1)) : null
  const found = { bytes: Buffer.from(text, 'latin1'), kind, isForeign }
  kinds.set(text, found)
  return found
}

function beginsWith({ bytes, from, to }: Line, start: Buffer): boolean {
  if (to - from < start.length) return false
  for (let at = 0; at < start.length; at += 1) if (bytes[from + at] !== start[at]) return false
  return true
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
    route: routeClass(at(6).slice(0, 32) || '-', at(7)),
    isWhole: at(8) === 'OK',
    isLong: status === 101 || at(9).startsWith('text/event-stream'),
    instances: listOf(at(10)),
    limited: limitedOf(at(11)),
  }
}

/** A line, piece by piece. */
class Pieces {
  private readonly line: Line
  private at: number

  constructor(line: Line, from: number) {
    this.line = line
    this.at = from
  }

  /** The digits of a number up to a space, without its point: nginx writes times as seconds with three decimals. `NaN` for what is none. */
  number(): number {
    const { bytes, to } = this.line
    const from = this.at
    let value = 0
    for (let at = from; at < to; at += 1) {
      const byte = bytes[at] ?? SPACE
      if (byte >= ZERO && byte <= NINE) value = value * 10 + byte - ZERO
      else if (byte === SPACE) {
        this.at = at + 1
        return at > from ? value : Number.NaN
      } else if (byte !== POINT) break
    }
    return Number.NaN
  }

  /** Up to the next `PART`, or to the end. */
  part(): Line {
    const { bytes, to } = this.line
    const from = this.at
    let end = from
    while (end < to && bytes[end] !== PART_BYTE) end += 1
    this.at = end + 1
    return { bytes, from, to: end }
  }
}

const [SPACE, POINT, ZERO, NINE] = [0x20, 0x2e, 0x30, 0x39]

/** What most requests say nothing about. */
type Other = { length: string; visit: string; copied: string }

const NOTHING: Other = { length: '', visit: '', copied: '' }
const NOTHING_BYTES = Buffer.from('["","",""]')

function otherOf(line: Line): Other | null {
  if (line.to - line.from === NOTHING_BYTES.length && beginsWith(line, NOTHING_BYTES)) return NOTHING
  const fields = fieldsOf(textOf(line))
  if (fields?.length !== OTHER_FIELDS) return null
  const [length = '', visit = '', copied = ''] = fields
  return { length, visit, copied }
}

/** How far the attempts came, in order: seconds until they were connected, and until the head of the answer. `-`: not so far. */
type Course = { connects: readonly string[]; heads: readonly string[] }
const SMOOTH: Course = { connects: [], heads: [] }

/** Where one attempt was enough and nothing went wrong, nobody asks how far it came. */
function courseOf({ status, instances }: Kind, part: Line): Course {
  if (instances.length <= 1 && !TELLING.has(status)) return SMOOTH
  const [connects = '', heads = ''] = textOf(part).split(';')
  return { connects: listOf(connects), heads: listOf(heads) }
}

/** These may be nginx's own, or of the instance; or the client left, perhaps before anybody was there. */
const TELLING = new Set([413, 499, 502, 504])

function readRequest({ kind, bytes }: Known, body: Line, brokenBy: BrokenBy): Reading | null {
  const pieces = new Pieces(body, body.from + bytes.length)
  const [ms, bytesOut, connection, atMs] = [
    pieces.number(),
    pieces.number(),
    pieces.number(),
    pieces.number(),
  ]
  const [attempts, rest] = [pieces.part(), otherOf(pieces.part())]
  if (kind === null || rest === null || Number.isNaN(ms + bytesOut + connection + atMs)) return null
  const { service, by, status, route, isLong, isProbe, isClosed, limited, instances } = kind
  const course = courseOf(kind, attempts)
  // A body that turned out to be too large has an instance, which did not say so.
  const isTooLarge = status === 413 && course.heads.at(-1) === '-'
  const wasServed = instances.length > 0 && !isTooLarge
  const broken = wasServed ? brokenBy(connection, instances.at(-1) ?? '') : null
  const visit = rest.visit === '' ? null : readVisit(rest.visit)
  const copied = rest.copied === '' ? null : readCopied(rest.copied)
  const line: LogLine = {
    service,
    by,
    release: wasServed ? kind.release : null,
    status,
    // The time of a copied request is that of its copy, if that took longer; its instance knows better.
    ms: copied?.answeredMs ?? ms,
    route,
    bytesIn: wholeNumber(rest.length),
    bytesOut,
    end: wasServed ? endOf(kind, course, broken) : status === 499 ? 'client-abort' : 'complete',
    isLong,
    isProbe,
    isClosed,
    retries: Math.max(0, instances.length - 1),
    connectFailures: course.connects.filter((one) => one === '-').length,
  }
  if (limited !== null) line.limited = limited
  if (visit !== null) line.visit = visit
  if (copied !== null) line.copied = copied.line
  return { kind: 'request', line, atS: atMs / 1_000 }
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

/** A 502 or 504 is nginx's own when the instance sent no head; then the time to connect says how far it came. */
function endOf({ status, isWhole }: Kind, { connects, heads }: Course, broken: Break | null): LogEnd {
  if (status === 499) return 'client-abort'
  if ((status === 502 || status === 504) && heads.at(-1) === '-') {
    if (connects.at(-1) === '-') return 'connect-failed'
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
