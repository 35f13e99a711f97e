import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Problem, problem } from '../core/shared/problem.ts'

/**
 * An answer that the data plane gives by itself: a status and a problem for the reader. A 503 or 429 says when to come back.
 * `keeps`: the request has no body, so its connection can go on.
 */
export type Refusal = { status: number; problem: Problem; retryAfterS?: number; keeps?: boolean }

/**
 * Answers that mean a lost request: nobody could take it, or we cut it. They carry the header `sluice-error`, so that a
 * client from outside can tell them from what the version itself answered. A reset or time-out of an instance that had the
 * request is the version's own error and carries none.
 */
const LOST = new Set([
  'NO_INSTANCE',
  'SERVICE_CLOSED',
  'INSTANCE_UNREACHABLE',
  'INSTANCE_CONNECT_TIMEOUT',
  'DRAIN_LIMIT',
])

/** Makes a refusal. 5xx are worth a retry, the client's own faults are not. */
export function refusal(status: number, code: string, message: string, remedy: string): Refusal {
  return { status, problem: problem(code, { message, remedy, retryable: status >= 500 }) }
}

/** The request breaks HTTP in a way that servers read differently: nobody may guess what was meant. */
export function malformed(message: string): Refusal {
  return refusal(400, 'REQUEST_MALFORMED', message, 'Send a request that follows RFC 9112.')
}

/** Answers a request in the ordinary way. The connection is closed after a refused request, kept after a 5xx. */
export function answer(
  res: ServerResponse,
  { status, problem: body, retryAfterS = 1, keeps = false }: Refusal,
): void {
  const text = JSON.stringify(body)
  const headers = ['content-type', 'application/problem+json', 'content-length', `${Buffer.byteLength(text)}`]
  if (waits(status)) headers.push('retry-after', `${retryAfterS}`)
  if (LOST.has(body.code)) headers.push('sluice-error', body.code)
  if (!keeps && (status < 500 || !res.req.complete)) headers.push('connection', 'close')
  res.writeHead(status, headers)
  res.end(res.req.method === 'HEAD' ? undefined : text)
}

const waits = (status: number): boolean => status === 503 || status === 429

/** Answers on a bare socket, where the parser has already given up, and closes it. */
export function answerSocket(socket: Duplex, { status, problem: body, retryAfterS = 1 }: Refusal): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const text = JSON.stringify(body)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\n${waits(status) ? `retry-after: ${retryAfterS}\r\n` : ''}${LOST.has(body.code) ? `sluice-error: ${body.code}\r\n` : ''}connection: close\r\n\r\n${text}`,
    () => socket.destroy(),
  )
}
