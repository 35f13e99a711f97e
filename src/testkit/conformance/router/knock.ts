import { type IncomingMessage, request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { TLSSocket } from 'node:tls'

export type Knock = {
  port: number
  /** Without it there is a host of no service. */
  host?: string
  /** Speaks TLS: the name that the client asks for, or '' for none. */
  name?: string
  method?: string
  path?: string
  headers?: Record<string, string>
  /** In pieces it is sent without its length. */
  body?: string | string[]
}

/** `code`: of a problem that the data plane answers by itself. `seen`: what the instance was told. `shown`: names of the certificate. */
export type Answered = {
  status: number
  body: string
  code: string | null
  headers: IncomingMessage['headers']
  seen: Record<string, string>
  shown: string
}

/** One request on a connection of its own, to this machine and under any name. It believes every certificate. */
export function knock({ port, host = 'nobody.test', name, body, ...asked }: Knock): Promise<Answered> {
  const { method = body === undefined ? 'GET' : 'POST', path = '/', headers = {} } = asked
  const length = typeof body === 'string' ? { 'content-length': `${Buffer.byteLength(body)}` } : {}
  const options = {
    ...{ host: '127.0.0.1', port, method, path, agent: false },
    headers: { host, ...length, ...headers },
  }
  return new Promise((resolve, reject) => {
    const answered = (res: IncomingMessage) => resolve(answerOf(res))
    const req =
      name === undefined
        ? plainRequest(options, answered)
        : secureRequest({ ...options, servername: name, rejectUnauthorized: false }, answered)
    req.on('error', reject)
    for (const piece of Array.isArray(body) ? body : []) req.write(piece)
    req.end(typeof body === 'string' ? body : undefined)
  })
}

async function answerOf(res: IncomingMessage): Promise<Answered> {
  const { socket } = res
  const shown = socket instanceof TLSSocket ? (socket.getPeerX509Certificate()?.subjectAltName ?? '') : ''
  let body = ''
  res.setEncoding('utf8')
  // An answer that comes before all of a body was sent may end with a reset.
  await new Promise<void>((resolve) =>
    res
      .on('data', (part: string) => {
        body += part
      })
      .on('error', () => resolve())
      .on('end', () => resolve()),
  )
  const seen = res.headers['x-seen']
  return {
    status: res.statusCode ?? 0,
    body,
    code: codeIn(res, body),
    headers: res.headers,
    seen: typeof seen === 'string' ? JSON.parse(seen) : {},
    shown,
  }
}

function codeIn({ headers }: IncomingMessage, body: string): string | null {
  if (headers['content-type'] !== 'application/problem+json') return null
  const problem: unknown = JSON.parse(body)
  const code = typeof problem === 'object' && problem !== null && 'code' in problem ? problem.code : null
  return typeof code === 'string' ? code : null
}
