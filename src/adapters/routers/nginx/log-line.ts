import type { LogEnd, LogLine } from '../../tools/log-counts.ts'
import { unpacked } from './words.ts'

export type Reading =
  | { kind: 'request'; line: LogLine }
  /** A question of our own. */
  | { kind: 'control'; id: string }
  /** An instance broke an answer off: nginx says so in its error log only, by the number of the connection. */
  | { kind: 'broken'; connection: string; how: 'reset' | 'timeout' }

const FIELDS = 17

/**
 * Reads one datagram: a line of the access log as `service.ts` and `configuration.ts` format it, or one of the error log.
 * `null` for everything without our key, and what means nothing to us. `brokenBy` knows what the error log said before.
 */
export function readLine(
  text: string,
  key: string,
  brokenBy: (connection: string) => 'reset' | 'timeout' | null,
): Reading | null {
  const mark = `${key}: `
  const at = text.indexOf(mark)
  if (at < 0) return null
  const body = text.slice(at + mark.length)
  if (!body.startsWith('[')) return readError(body)
  const fields = fieldsOf(body)
  if (fields?.length === 1) return { kind: 'control', id: fields[0] ?? '' }
  return fields?.length === FIELDS ? readRequest(fields, brokenBy) : null
}

const BROKEN = /\*(\d+) (.*) while reading upstream/

function readError(body: string): Reading | null {
  const found = BROKEN.exec(body)
  if (found === null) return null
  const [, connection = '', what = ''] = found
  return { kind: 'broken', connection, how: what.startsWith('upstream timed out') ? 'timeout' : 'reset' }
}

function readRequest(
  fields: readonly string[],
  brokenBy: (connection: string) => 'reset' | 'timeout' | null,
): Reading {
  const at = (index: number): string => fields[index] ?? ''
  const instances = listOf(at(13))
  const connects = listOf(at(14))
  const wasServed = instances.length > 0
  const status = Number(at(5))
  const how = { status, isWhole: at(11) === 'OK', connects, headers: listOf(at(15)) }
  const broken = wasServed ? brokenBy(at(16)) : null
  const failures = connects.filter((time) => time === '-').length
  const line: LogLine = {
    service: unpacked(at(0)),
    by: byOf(at(1)),
    release: wasServed ? unpacked(at(2)) : null,
    status,
    ms: Math.max(0, Math.round(Number(at(6)) * 1_000)) || 0,
    method: at(7).slice(0, 32) || '-',
    path: at(8),
    bytesIn: wholeNumber(at(9)),
    bytesOut: wholeNumber(at(10)),
    end: wasServed ? endOf(how, broken) : status === 499 ? 'client-abort' : 'complete',
    isLong: status === 101 || at(12).startsWith('text/event-stream'),
    isProbe: at(3) === '1',
    isClosed: at(4) === 'SERVICE_CLOSED',
    retries: Math.max(0, instances.length - 1),
    connectFailures: failures,
  }
  return { kind: 'request', line }
}

type How = { status: number; isWhole: boolean; connects: readonly string[]; headers: readonly string[] }

/** A 502 or 504 is nginx's own when the instance sent no head; then the time to connect says how far it came. */
function endOf({ status, isWhole, connects, headers }: How, broken: 'reset' | 'timeout' | null): LogEnd {
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
const listOf = (text: string): string[] => (text === '' ? [] : text.split(/, | : /))

const byOf = (text: string): LogLine['by'] => (text === 'rule' || text === 'preview' ? text : 'weight')

function wholeNumber(text: string): number {
  const value = Number(text)
  return Number.isSafeInteger(value) && value > 0 ? value : 0
}

function fieldsOf(body: string): string[] | null {
  try {
    const fields: unknown = JSON.parse(body)
    return Array.isArray(fields) && fields.every((field) => typeof field === 'string') ? fields : null
  } catch {
    return null
  }
}
