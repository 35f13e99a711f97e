import { Agent, type IncomingMessage, request as openRequest } from 'node:http'
import type { Duplex } from 'node:stream'
import type { MixEntry } from './mix.ts'
import type { LostKind, Outcome } from './tally.ts'

/** One request to send now; `scheduledAtMs` and `performance.now()` share a clock. */
export type RequestOrder = {
  url: URL
  entry: MixEntry
  agent: Agent
  /** Sent as `x-load-id`. A service that echoes it proves that no answer went to the wrong request. */
  id: string
  scheduledAtMs: number
  timeoutMs: number
  versionHeader: string
  /** How long the client takes over its body; 0 sends it at once. */
  slowUploadMs: number
}

/**
 * A keep-alive agent without the kindness of Node's own: it ignores the server's `Keep-Alive: timeout` hint,
 * as many clients do, so that a data plane that closes sockets under its clients is found out.
 */
export class StrictAgent extends Agent {
  constructor() {
    // First in, first out keeps every connection in use, as with many separate clients.
    super({ keepAlive: true, scheduling: 'fifo' })
  }

  override keepSocketAlive(_socket: Duplex): boolean {
    return true
  }
}

/** Sends one request, once: a failure on a reused connection is told, not tried again. Never rejects. */
export function sendRequest(order: RequestOrder): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const { entry, url } = order
  const request = openRequest({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 80 : Number(url.port),
    method: entry.method,
    path: entry.path,
    agent: order.agent,
    headers: headersOf(order),
  })
  let settled = false
  let isAnswering = false
  const settle = (outcome: Outcome) => {
    settled = true
    clearTimeout(timer)
    resolve(outcome)
  }
  const lose = (lost: LostKind, detail: string) => {
    // Also called by events that follow a complete answer, when the socket may serve the next request already.
    if (settled) return
    const wasIdle = lost === 'reset' && request.reusedSocket && !isAnswering
    settle({ kind: 'lost', lost, wasIdle, message: `${entry.method} ${entry.path}: ${detail}` })
    request.destroy()
  }
  const timer = setTimeout(
    () => lose('timeout', `no complete answer within ${order.timeoutMs} ms`),
    order.timeoutMs,
  )
  request.on('error', (error) => lose(kindOf(error), describe(error, request.reusedSocket)))
  request.on('response', (answer) => {
    isAnswering = true
    const truncated = (why: string) => lose('truncated', `status ${answer.statusCode}, then ${why}`)
    answer.on('error', (error) => truncated(describe(error, request.reusedSocket)))
    answer.on('close', () => truncated('the connection closed before the body was complete'))
    answer.on('end', () => {
      if (answer.complete && !settled) settle(judge(answer, order))
    })
    answer.resume()
  })
  upload(request, order)
  return promise
}

function headersOf({ url, entry, id }: RequestOrder): Record<string, string> {
  const always = { host: url.host, 'x-load-id': id, 'user-agent': 'sluice-load' }
  if (entry.body === undefined) return always
  const length = String(Buffer.byteLength(entry.body))
  return { ...always, 'content-type': 'application/json', 'content-length': length }
}

function upload(request: ReturnType<typeof openRequest>, { entry, slowUploadMs }: RequestOrder): void {
  if (entry.body === undefined || slowUploadMs === 0) {
    request.end(entry.body)
    return
  }
  const body = Buffer.from(entry.body)
  const half = Math.ceil(body.length / 2)
  request.write(body.subarray(0, half))
  const rest = setTimeout(() => request.end(body.subarray(half)), slowUploadMs)
  request.once('close', () => clearTimeout(rest))
}

/** What a complete answer means: an answer of the version, or the data plane's word that there is none. */
function judge(answer: IncomingMessage, order: RequestOrder): Outcome {
  const { method, path } = order.entry
  const status = answer.statusCode ?? 0
  if (isFromDataPlane(answer, status)) {
    const code = answer.headers['sluice-error']
    const message = `${method} ${path}: the data plane answered ${status}, ${code}`
    return { kind: 'lost', lost: code === 'SERVICE_CLOSED' ? 'closed' : 'data-plane', message }
  }
  const echoed = answer.headers['x-load-id']
  if (echoed !== undefined && echoed !== order.id) {
    const message = `${method} ${path}: sent x-load-id ${order.id} and got the answer to ${echoed}`
    return { kind: 'lost', lost: 'mixed-up', message }
  }
  const version = answer.headers[order.versionHeader]
  return {
    kind: 'answered',
    status,
    version: typeof version === 'string' ? version : 'unknown',
    latencyMs: order.slowUploadMs > 0 ? null : performance.now() - order.scheduledAtMs,
  }
}

function isFromDataPlane({ headers }: IncomingMessage, status: number): boolean {
  const isUnroutable = status === 502 || status === 503 || status === 504
  const isProblem = headers['content-type']?.startsWith('application/problem+json') === true
  return isUnroutable && isProblem && headers['sluice-error'] !== undefined
}

function kindOf(error: NodeJS.ErrnoException): LostKind {
  const code = error.code ?? ''
  if (code === 'ECONNREFUSED') return 'refused'
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED') return 'reset'
  if (code === 'ETIMEDOUT') return 'timeout'
  return code.startsWith('HPE_') ? 'malformed' : 'other'
}

function describe(error: NodeJS.ErrnoException, reused: boolean): string {
  const connection = reused ? 'a reused connection' : 'a new connection'
  const code = error.code === undefined || error.message.includes(error.code) ? '' : ` (${error.code})`
  return `${error.message}${code} on ${connection}`
}
