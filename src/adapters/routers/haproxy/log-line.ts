import { routeClass } from '../../../core/shared/route-class.ts'
import { readVisit } from '../../tools/log-arms.ts'
import type { Limited, LogEnd, LogLine } from '../../tools/log-counts.ts'

/** One request as HAProxy tells it: hashes instead of names. */
export type ToldRequest = Omit<LogLine, 'service' | 'release'> & {
  frontend: string
  /** `null` where HAProxy answered by itself. */
  server: string | null
  pid: number
}

const FIELDS = 16
const PREVIEW = '_preview'
/** What `txn.way` says of requests that a limit of the service turned away. */
const LIMITED: Readonly<Record<string, keyof Limited>> = { b: 'requests', q: 'rate' }
/** An upgraded connection is told at its end, with its whole life. */
const UPGRADED = 101

/**
 * Reads a line of `LOG_FORMAT` (`config-text.ts`); `null` for anything else that HAProxy says on its log.
 *
 * @example readLine('s1a s1a_0 i9f 812 200 3 ---- 0 120 310 - - - - GET /cart')
 */
export function readLine(line: string): ToldRequest | null {
  const fields = line.split(' ')
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
    at,
    way = '-',
    stream,
    visit = '',
    method = '',
  ] = fields
  const [ofPid, code, took] = [Number(pid), Number(status), Number(ms)]
  const [sent, answered] = [Number(bytesIn), Number(bytesOut)]
  // One of them is no number.
  if (backend === undefined || Number.isNaN(ofPid + code + took + sent + answered)) return null
  // A plus says that the request went to another server in the end.
  const retries = rc === '0' ? 0 : Number((rc ?? '').replace('+', ''))
  const isNobody = server === undefined || server.startsWith('<')
  const seen = visit === '-' ? null : readVisit(visit)
  const isLong = code === UPGRADED || (stream === 's' && code > 0)
  const limited = LIMITED[way]
  const end = isLong ? endOfLong(ended) : endOf(ended)
  return {
    // Where services share an address, the line says whose the request was; one that came to nobody is nobody's.
    frontend: at === undefined || at === '-' ? frontend.replace(PREVIEW, '') : at,
    by: frontend.endsWith(PREVIEW) ? 'preview' : way === 'r' ? 'rule' : 'weight',
    server: isNobody ? null : server,
    pid: ofPid,
    status: Math.max(0, code),
    ms: Math.max(0, took),
    route: routeClass(method, pathOf(fields)),
    bytesIn: sent,
    bytesOut: answered,
    end,
    isLong,
    isProbe: way === 'p',
    isClosed: way === 'c',
    retries: Number.isNaN(retries) ? 0 : retries,
    connectFailures: (Number.isNaN(retries) ? 0 : retries) + (end === 'connect-failed' ? 1 : 0),
    ...(seen === null ? {} : { visit: seen }),
    ...(limited === undefined ? {} : { limited }),
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
function pathOf(fields: readonly string[]): string {
  const uri = fields.length === FIELDS ? fields[FIELDS - 1] : fields.slice(FIELDS - 1).join(' ')
  return uri?.startsWith('/') ? uri : uri?.trimEnd().replace(/^[a-z]+:\/\/[^/]*/i, '') || '/'
}
