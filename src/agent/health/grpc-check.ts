import { connect as connectHttp2, constants, type IncomingHttpHeaders } from 'node:http2'
import { connect } from 'node:net'
import type { ProbeFailure } from '../../core/shared/instance.ts'
import type { Redact } from '../../core/shared/redact.ts'
import { excerpt } from '../excerpt.ts'
import type { ProbeAnswer } from '../probe.ts'
import { decodeResponse, encodeRequest } from './grpc-message.ts'

export type GrpcRequest = { host: string; port: number; service: string; timeoutMs: number; redact: Redact }

/** The answer has seven bytes; a server that sends more than this speaks of something else. */
const MOST_BYTES = 16 * 1024
const METHOD = '/grpc.health.v1.Health/Check'
/** Codes of gRPC that have a meaning of their own here. */
const STATUS_OK = '0'
const STATUS_NOT_FOUND = '5'
const STATUS_UNIMPLEMENTED = '12'

type Finding = [kind: ProbeFailure['kind'], what: string]

/** Asks by the gRPC health protocol, HTTP/2 without TLS: SERVING in time passes, all else fails with its reason. */
export async function checkGrpc(request: GrpcRequest): Promise<ProbeAnswer> {
  const finding = await ask(request)
  if (finding === null) return { kind: 'passed' }
  const isGarbled = finding[0] === 'malformed' || finding[0] === 'reset'
  const [kind, what] = isGarbled ? await explain(request, finding) : finding
  const of = request.service === '' ? '' : ` of ${request.service}`
  const message = `gRPC health${of} on ${request.host}:${request.port} ${request.redact(what)}`
  return { kind: 'failed', failure: { kind, message, at: Date.now() } }
}

/** `null` is SERVING. */
function ask({ host, port, service, timeoutMs }: GrpcRequest): Promise<Finding | null> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${host}:${port}`, { settings: { enablePush: false } })
    const end = (finding: Finding | null) => {
      clearTimeout(deadline)
      session.destroy()
      resolve(finding)
    }
    const deadline = setTimeout(() => end(['slow', `was not answered within ${timeoutMs} ms`]), timeoutMs)
    session.on('error', (error) => end(describeError(error)))
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: METHOD,
      [constants.HTTP2_HEADER_TE]: 'trailers',
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      'grpc-timeout': `${timeoutMs}m`,
      'user-agent': 'sluice-agent',
    })
    let headers: IncomingHttpHeaders = {}
    const chunks: Buffer[] = []
    let size = 0
    const add = (more: IncomingHttpHeaders): void => {
      headers = { ...headers, ...more }
    }
    stream.on('response', add)
    stream.on('trailers', add)
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > MOST_BYTES) return end(['malformed', `sent more than ${MOST_BYTES} bytes`])
      chunks.push(chunk)
    })
    // A stream is canceled because its session failed: the cause is the news.
    stream.on('error', (error) => end(describeError(error.cause instanceof Error ? error.cause : error)))
    // Also for a stream that the other side reset: then neither headers nor data have come.
    stream.on('close', () => end(describeAnswer(headers, Buffer.concat(chunks))))
    stream.end(encodeRequest(service))
  })
}

function describeAnswer(headers: IncomingHttpHeaders, body: Buffer): Finding | null {
  const status = headers[':status']
  if (status === undefined) return ['reset', 'was cut off before an answer came']
  const code = headers['grpc-status']
  if (`${status}` !== '200' || !`${headers['content-type']}`.startsWith('application/grpc'))
    return ['status', `answered ${status} ${headers['content-type'] ?? 'without a type'}, which is not gRPC`]
  if (code === STATUS_NOT_FOUND)
    return ['not-serving', 'answered NOT_FOUND: the server does not know this name']
  if (code === STATUS_UNIMPLEMENTED)
    return ['status', 'answered UNIMPLEMENTED: the server does not have the gRPC health service']
  if (code !== undefined && code !== STATUS_OK)
    return ['status', `answered the gRPC status ${code}${messageIn(headers)}`]
  const serving = decodeResponse(body)
  if (serving === null) return ['malformed', 'got an answer that is no HealthCheckResponse']
  return serving === 'SERVING' ? null : ['not-serving', `answered ${serving}`]
}

function messageIn(headers: IncomingHttpHeaders): string {
  const text = headers['grpc-message']
  return typeof text === 'string' && text !== '' ? `: "${excerpt(text)}"` : ''
}

function describeError(error: Error): Finding {
  const code = 'code' in error ? String(error.code) : error.message
  if (code === 'ECONNREFUSED') return ['refused', 'was refused: nothing listens there']
  if (code === 'ERR_HTTP2_ERROR' || code === 'ERR_HTTP2_SESSION_ERROR')
    return ['malformed', 'got an answer that is not HTTP/2']
  return ['reset', `was cut off before an answer came (${code})`]
}

const TLS_RECORDS = [0x15, 0x16]
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/** What answered in another language: told by its first bytes. */
async function explain({ port, timeoutMs }: GrpcRequest, found: Finding): Promise<Finding> {
  const bytes = await firstBytes(port, timeoutMs)
  if (TLS_RECORDS.includes(bytes[0] ?? 0))
    return ['tls', 'was answered with TLS: the health check speaks HTTP/2 without TLS']
  if (bytes.toString('latin1').startsWith('HTTP/1'))
    return ['malformed', 'was answered with HTTP/1.1: gRPC needs HTTP/2. Does it listen on another port?']
  return found
}

function firstBytes(port: number, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const end = (bytes: Buffer) => {
      clearTimeout(deadline)
      socket.destroy()
      resolve(bytes)
    }
    const deadline = setTimeout(() => end(Buffer.alloc(0)), timeoutMs)
    socket.once('data', end)
    socket.on('error', () => end(Buffer.alloc(0)))
    socket.once('close', () => end(Buffer.alloc(0)))
    socket.write(PREFACE)
  })
}
