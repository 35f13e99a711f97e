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
/** An instance broke an answer off: nginx says so in its error log only, by the number of the connection. */
export type Broken = { on: string; how: Break }
/** What the error log said before, by `on`; told once. */
export type BrokenBy = (on: string) => Break | null

const FIELDS = 21
const COPY_FIELDS = 7

/** Reads a line of the access log as `service.ts` and `configuration.ts` format it; `null` for what is none, or a piece of one. */
export function readLine(text: string, brokenBy: BrokenBy): Reading | null {
  const body = recordIn(text)
  const fields = body === null ? null : fieldsOf(body)
  if (fields?.length === 1) return { kind: 'control', atS: Number(fields[0]) }
  if (fields?.length === COPY_FIELDS && fields[0] === COPY_LINE) return readCopy(fields)
  return fields?.length === FIELDS ? readRequest(fields, brokenBy) : null
}

const BROKEN = /^[^*]*\*(\d+) (.*) while reading upstream.*, upstream: "http:\/\/([^/"]+)/

/** Reads a line of the error log. */
export function readBroken(text: string): Broken | null {
  const found = BROKEN.exec(text)
  if (found === null) return null
  const [, connection = '', what = '', address = ''] = found
  return { on: onOf(connection, address), how: what.startsWith('upstream timed out') ? 'timeout' : 'reset' }
}

/** Lines of one connection come together, the broken one the last of them: its instance tells which one it is. */
const onOf = (connection: string, address: string): string => `${connection} ${address}`

function readRequest(fields: readonly string[], brokenBy: BrokenBy): Reading {
  const at = (index: number): string => fields[index] ?? ''
  const instances = listOf(at(13))
  const connects = listOf(at(14))
  const status = Number(at(5))
  // A body that turned out to be too large has an instance, which did not say so.
  const isTooLarge = status === 413 && listOf(at(15)).at(-1) === '-'
  const wasServed = instances.length > 0 && !isTooLarge
  const limited = limitedOf(at(20))
  const how = { status, isWhole: at(11) === 'OK', connects, headers: listOf(at(15)) }
  const broken = wasServed ? brokenBy(onOf(at(16), instances.at(-1) ?? '')) : null
  const visit = readVisit(at(17))
  const copied = readCopied(at(19))
  const failures = connects.filter((time) => time === '-').length
  const line: LogLine = {
    service: wordOf(at(0)),
    by: byOf(at(1)),
    release: wasServed ? wordOf(at(2)) : null,
    status,
    // The time of a copied request is that of its copy, if that took longer; its instance knows better.
    ms: copied?.answeredMs ?? msOf(at(6)),
    method: at(7).slice(0, 32) || '-',
    path: at(8),
    bytesIn: wholeNumber(at(9)),
    bytesOut: wholeNumber(at(10)),
    end: wasServed ? endOf(how, broken) : status === 499 ? 'client-abort' : 'complete',
    isLong: status === 101 || at(12).startsWith('text/event-stream'),
    isProbe: at(3) === '1',
    isClosed: at(4) === 'SERVICE_CLOSED',
    ...(limited === null ? {} : { limited }),
    retries: Math.max(0, instances.length - 1),
    connectFailures: failures,
    ...(visit === null ? {} : { visit }),
    ...(copied === null ? {} : { copied: copied.line }),
  }
  return { kind: 'request', line, atS: Number(at(18)) }
}

const limitedOf = (text: string): 'requests' | 'rate' | null =>
  text === 'requests' || text === 'rate' ? text : null

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

type How = { status: number; isWhole: boolean; connects: readonly string[]; headers: readonly string[] }

/** A 502 or 504 is nginx's own when the instance sent no head; then the time to connect says how far it came. */
function endOf({ status, isWhole, connects, headers }: How, broken: Break | null): LogEnd {
  const isOwn = headers.at(-1) === '-'
  if (status === 499) return 'client-abort'
  if (isOwn && (status === 502 || status === 504)) {
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

/** Names of services and releases that lines told of: they are the same few. */
const words = new Map<string, string>()
const WORDS_KEPT = 1_000

function wordOf(text: string): string {
  const known = words.get(text)
  if (known !== undefined) return known
  if (words.size >= WORDS_KEPT) words.clear()
  const word = unpacked(text)
  words.set(text, word)
  return word
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
