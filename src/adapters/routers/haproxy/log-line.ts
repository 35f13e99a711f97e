import { readVisit } from '../../tools/log-arms.ts'
import type { LogEnd, LogLine } from '../../tools/log-counts.ts'

/** One request as HAProxy tells it: hashes instead of names. */
export type ToldRequest = Omit<LogLine, 'service' | 'release'> & {
  frontend: string
  /** `null` where HAProxy answered by itself. */
  server: string | null
  pid: number
}

const FIELDS = 15
const PREVIEW = '_preview'
/** An upgraded connection is told at its end, with its whole life. */
const UPGRADED = 101

/**
 * Reads a line of `LOG_FORMAT` (`config-text.ts`); `null` for anything else that HAProxy says on its log.
 *
 * @example readLine('s1a s1a_0 i9f 812 200 3 ---- 0 120 310 - - - GET /cart')
 */
export function readLine(line: string): ToldRequest | null {
  const fields = line.trimEnd().split(' ')
  if (fields.length < FIELDS) return null
  const [
    frontend = '',
    backend,
    server,
    pid,
    status,
    ms,
    ended = '',
    rc,
    bytesIn,
    bytesOut,
    way,
    stream,
    visit = '',
    method = '',
  ] = fields
  const numbers = [pid, status, ms, bytesIn, bytesOut].map(Number)
  if (backend === undefined || numbers.some(Number.isNaN)) return null
  const [ofPid = 0, code = 0, took = 0, sent = 0, answered = 0] = numbers
  // A plus says that the request went to another server in the end.
  const retries = Number((rc ?? '').replace('+', ''))
  const isNobody = server === undefined || server.startsWith('<')
  const seen = readVisit(visit)
  const isLong = code === UPGRADED || (stream === 's' && code > 0)
  const end = isLong ? endOfLong(ended) : endOf(ended)
  return {
    frontend: frontend.replace(PREVIEW, ''),
    by: frontend.endsWith(PREVIEW) ? 'preview' : way === 'r' ? 'rule' : 'weight',
    server: isNobody ? null : server,
    pid: ofPid,
    status: Math.max(0, code),
    ms: Math.max(0, took),
    method,
    path: pathOf(fields.slice(FIELDS - 1).join(' ')),
    bytesIn: sent,
    bytesOut: answered,
    end,
    isLong,
    isProbe: way === 'p',
    isClosed: way === 'c',
    retries: Number.isNaN(retries) ? 0 : retries,
    connectFailures: (Number.isNaN(retries) ? 0 : retries) + (end === 'connect-failed' ? 1 : 0),
    ...(seen === null ? {} : { visit: seen }),
  }
}

/** A long-lived connection ends by whoever has enough of it, which is no failure. */
const endOfLong = (ended: string): LogEnd => (ended.startsWith('K') ? 'cut' : 'complete')

/**
 * What the first letters of the state at the end mean (HAProxy's configuration manual, 8.5): who ended it, and in which
 * phase.
 */
function endOf(ended: string): LogEnd {
  const [who, phase] = ended
  switch (who) {
    case 'C':
    case 'c':
      return 'client-abort'
    case 'K':
      return 'cut'
    case 'S':
      return phase === 'C' ? 'connect-failed' : 'reset'
    case 's':
      return phase === 'C' ? 'connect-failed' : 'timeout'
    default:
      return 'complete'
  }
}

/** Some clients name the whole address. */
const pathOf = (uri: string): string => uri.replace(/^[a-z]+:\/\/[^/]*/i, '') || '/'
