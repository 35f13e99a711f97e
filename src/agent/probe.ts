import { type IncomingMessage, request } from 'node:http'
import type { ProbeFailure } from '../core/shared/instance.ts'
import { excerpt } from './excerpt.ts'
import type { KeptConnection } from './health/kept-connection.ts'

export type ProbeAnswer = { kind: 'passed' } | { kind: 'failed'; failure: ProbeFailure }
export type ProbeRequest = {
  host: string
  port: number
  path: string
  timeoutMs: number
  redact: (text: string) => string
  /** Where the question is asked first; without it, it has a connection of its own. */
  kept?: KeptConnection | undefined
}

/** Most of a body that is looked at; a health page that sends more has said enough. */
const BODY_BYTES = 16 * 1024

const HEADERS = { 'user-agent': 'sluice-agent', accept: '*/*', connection: 'close' }

/** Asks one instance for its health: a final 2xx answer in time passes, all else fails with its reason. */
export async function probe({ kept, ...options }: ProbeRequest): Promise<ProbeAnswer> {
  if (kept === undefined) return await askAlone(options)
  const { timeoutMs } = options
  const begun = Date.now()
  const answer = await kept.ask(options)
  if (answer === 'passed') return { kind: 'passed' }
  if (answer === 'late') return failedBy(options, ...slow(timeoutMs))
  return await askAlone({ ...options, timeoutMs: Math.max(1, begun + timeoutMs - Date.now()) })
}

const failedBy = ({ host, port, path, redact }: ProbeRequest, ...[kind, what]: Finding): ProbeAnswer => ({
  kind: 'failed',
  failure: { kind, message: `GET http://${host}:${port}${path} ${redact(what)}`, at: Date.now() },
})

function askAlone(options: ProbeRequest): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const { host, port, path, timeoutMs } = options
    const fail = (...finding: Finding): void => resolve(failedBy(options, ...finding))
    const asked = request({ host, port, path, agent: false, headers: HEADERS }, (answer) => {
      const status = answer.statusCode ?? 0
      // From here on the status is known: what happens to the rest of the answer does not change the finding.
      asked.removeAllListeners('error').on('error', () => {})
      if (status >= 200 && status < 300) {
        resolve({ kind: 'passed' })
        answer.resume() // read to the end, or until the time is up: the instance should not see its answer cut
        answer.on('error', () => {})
        return
      }
      void readBody(answer).then((body) => fail(...describeAnswer(status, answer, options.redact(body))))
    })
    let isLate = false
    // An AbortSignal would cost as much as the request itself, and there may be hundreds a second.
    const timer = setTimeout(() => {
      isLate = true
      asked.destroy(new Error('late'))
    }, timeoutMs)
    asked.on('close', () => clearTimeout(timer))
    asked.on('error', (error) => fail(...describeError(error, isLate, timeoutMs)))
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

const slow = (timeoutMs: number): Finding => ['slow', `was not answered within ${timeoutMs} ms`]

function describeError(error: Error, timedOut: boolean, timeoutMs: number): Finding {
  const code = 'code' in error ? String(error.code) : ''
  if (timedOut) return slow(timeoutMs)
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
