import { type IncomingMessage, type RequestOptions, request } from 'node:http'
import type { ProbeFailure } from '../core/shared/instance.ts'
import { excerpt } from './excerpt.ts'
import type { Turn } from './health/kept-connection.ts'

export type ProbeAnswer = { kind: 'passed' } | { kind: 'failed'; failure: ProbeFailure }
export type ProbeRequest = {
  host: string
  port: number
  path: string
  timeoutMs: number
  redact: (text: string) => string
  /** Whose turn it is on a connection that is kept; without it the question has one of its own. */
  turn?: Turn | undefined
}

/** Most of a body that is looked at; a health page that sends more has said enough. */
const BODY_BYTES = 16 * 1024

const HEADERS = { 'user-agent': 'sluice-agent', accept: '*/*' }
const LAST = { ...HEADERS, connection: 'close' }

const connectionOf = (turn: Turn | undefined): RequestOptions =>
  turn === undefined
    ? { agent: false, headers: LAST }
    : { agent: turn.agent, headers: turn.isLast ? LAST : HEADERS }

/** Asks one instance for its health: a final 2xx answer in time passes, all else fails with its reason. */
export function probe(options: ProbeRequest): Promise<ProbeAnswer> {
  const url = `http://${options.host}:${options.port}${options.path}`
  const fail = (kind: ProbeFailure['kind'], what: string): ProbeAnswer => ({
    kind: 'failed',
    failure: { kind, message: `GET ${url} ${options.redact(what)}`, at: Date.now() },
  })
  return new Promise((resolve) => {
    const { turn, ...alone } = options
    const { host, port, path, timeoutMs } = alone
    const begun = Date.now()
    const asked = request({ host, port, path, ...connectionOf(turn) }, (answer) => {
      const status = answer.statusCode ?? 0
      // From here on the status is known: what happens to the rest of the answer does not change the finding.
      asked.removeAllListeners('error').on('error', () => {})
      if (status >= 200 && status < 300) {
        resolve({ kind: 'passed' })
        answer.resume() // read to the end, or until the time is up: the instance should not see its answer cut
        answer.on('error', () => {})
        return
      }
      void readBody(answer).then((body) =>
        resolve(fail(...describeAnswer(status, answer, options.redact(body)))),
      )
    })
    let isLate = false
    // An AbortSignal would cost as much as the request itself, and there may be hundreds a second.
    const timer = setTimeout(() => {
      isLate = true
      asked.destroy(new Error('late'))
    }, timeoutMs)
    asked.on('close', () => clearTimeout(timer))
    asked.on('error', (error) => {
      // The other side closed the old connection in the same moment: that says nothing about it.
      if (asked.reusedSocket && !isLate)
        resolve(probe({ ...alone, timeoutMs: Math.max(1, begun + timeoutMs - Date.now()) }))
      else resolve(fail(...describeError(error, isLate, timeoutMs)))
    })
    asked.end()
  })
}

type Finding = [ProbeFailure['kind'], string]

function describeAnswer(status: number, answer: IncomingMessage, body: string): Finding {
  if (status >= 300 && status < 400 && answer.headers.location !== undefined) {
    return ['redirect', `answered ${status} to ${answer.headers.location}: redirects are not followed`]
  }
  return ['status', `answered ${status}${body === '' ? '' : `: "${excerpt(body)}"`}`]
}

function describeError(error: Error, timedOut: boolean, timeoutMs: number): Finding {
  const code = 'code' in error ? String(error.code) : ''
  if (timedOut) return ['slow', `was not answered within ${timeoutMs} ms`]
  if (code === 'ECONNREFUSED') return ['refused', 'was refused: nothing listens there']
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return ['dns', `failed: the name was not found (${code})`]
  if (code.startsWith('HPE_')) return describeGarbage(error, code)
  return ['reset', `was cut off before an answer came (${code || error.message})`]
}

const TLS_ALERT = 0x15
const TLS_HANDSHAKE = 0x16

function describeGarbage(error: Error, code: string): Finding {
  const bytes = 'rawPacket' in error && Buffer.isBuffer(error.rawPacket) ? error.rawPacket : Buffer.alloc(0)
  if (bytes[0] === TLS_ALERT || bytes[0] === TLS_HANDSHAKE) {
    return ['tls', 'was answered with TLS: the health check speaks plain HTTP']
  }
  return ['malformed', `got an answer that is not HTTP (${code})`]
}

/** What came until the end, the limit, or the error. */
async function readBody(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of answer) {
      chunks.push(Buffer.from(chunk))
      size += chunk.length
      if (size >= BODY_BYTES) break
    }
  } catch {
    // The time ran out or the connection broke while the body came: the status and what came are enough.
  }
  return Buffer.concat(chunks).subarray(0, BODY_BYTES).toString('utf8')
}
