import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Server as NetServer } from 'node:net'
import * as z from 'zod'
import { type Problem, problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { ServiceRoutes } from '../core/shared/routes.ts'
import type { Exposition } from '../telemetry/exposition.ts'
import { CONTROL_BODY_BYTES, CONTROL_TIMEOUT_MS } from './limits.ts'
import type { SignOfLife } from './loss-policy.ts'
import type { Table } from './table.ts'

/** What `/livez` tells about the process itself. */
export type Livez = { boot: string; pid: number; damaged: string | null; bugs: number }

export type ControlOptions = {
  table: Table
  life: SignOfLife
  livez: () => Livez
  /** The numbers of the process as text. */
  scrape: (accept: string) => Promise<Exposition>
}

type Answer = { status: number; body: unknown } | { status: 200; text: Exposition }

/** Asked by watchers too, so they are no sign that a controller lives. */
const WATCHED = ['/healthz', '/readyz', '/metrics']

const FinalizeQuery = z.object({
  epoch: z.coerce.number().int().nonnegative(),
  sequence: z.coerce.number().int().nonnegative(),
})

/** The control surface: HTTP on a unix socket that only the owner can open. */
export class Control {
  private readonly server: Server
  private readonly options: ControlOptions

  constructor(options: ControlOptions) {
    this.options = options
    this.server = createServer({ requestTimeout: CONTROL_TIMEOUT_MS }, (req, res) => {
      this.serve(req)
        .catch((error: unknown) => ({ status: 500, body: internal(error) }))
        .then((answer) => send(res, answer))
        .catch(() => res.destroy())
    })
  }

  listen(socket: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject)
      const before = process.umask(0o177)
      this.server.listen(socket, resolve)
      process.umask(before)
    })
  }

  close(): void {
    NetServer.prototype.close.call(this.server)
    this.server.closeAllConnections()
  }

  private async serve(req: IncomingMessage): Promise<Answer> {
    const url = URL.parse(req.url ?? '/', 'http://control')
    if (url === null) return unknownPath(`${req.method} ${req.url}`)
    const key = `${req.method} ${url.pathname}`
    if (!WATCHED.includes(url.pathname)) this.options.life.seen()
    if (key === 'GET /livez') return { status: 200, body: this.options.livez() }
    if (key === 'GET /healthz') return { status: 200, body: { live: true } }
    if (key === 'GET /readyz') return readiness(this.options.table)
    if (key === 'GET /metrics')
      return { status: 200, text: await this.options.scrape(req.headers.accept ?? '') }
    if (key === 'POST /heartbeat') return { status: 200, body: {} }
    const match = /^\/services\/([^/]+)(\/[a-z]+)?$/.exec(url.pathname)
    const [, encoded, part = ''] = match ?? []
    const name = encoded === undefined ? null : decoded(encoded)
    if (name === null) return unknownPath(key)
    return await this.service(`${req.method} ${part}`, name, { req, url })
  }

  private async service(
    key: string,
    name: string,
    { req, url }: { req: IncomingMessage; url: URL },
  ): Promise<Answer> {
    const { table } = this.options
    switch (key) {
      case 'PUT /routes':
        return await this.setRoutes(name, await bodyOf(req))
      case 'GET /state':
        return { status: 200, body: table.state(name) }
      case 'GET /counts': {
        const counts = table.counts(name)
        return counts === null ? { status: 404, body: unknownService(name) } : { status: 200, body: counts }
      }
      case 'DELETE ': {
        const query = FinalizeQuery.safeParse(Object.fromEntries(url.searchParams))
        if (!query.success) return { status: 400, body: invalid(z.prettifyError(query.error)) }
        return answerOf(
          await table.finalize(name, { ...query.data, rollout: url.searchParams.get('rollout') }),
          {},
        )
      }
      default:
        return unknownPath(key)
    }
  }

  private async setRoutes(name: string, body: unknown): Promise<Answer> {
    const routes = ServiceRoutes.safeParse(body)
    if (!routes.success) return { status: 400, body: invalid(z.prettifyError(routes.error)) }
    if (routes.data.service !== name) {
      return { status: 400, body: invalid(`the path names ${name}, the routes name ${routes.data.service}`) }
    }
    return answerOf(await this.options.table.setRoutes(routes.data), { token: routes.data.token })
  }
}

/** `null`: no text was written like this. */
function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

function answerOf(result: Result<void>, value: unknown): Answer {
  if (result.kind === 'ok') return { status: 200, body: value }
  return { status: result.problem.code === 'ROUTES_NOT_SAVED' ? 500 : 409, body: result.problem }
}

async function bodyOf(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of req) {
    if (!Buffer.isBuffer(chunk)) continue
    bytes += chunk.length
    if (bytes > CONTROL_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined
  }
}

/** Ready is a proxy that takes connections on every address it was told. */
function readiness({ inForce }: Table): Answer {
  const waiting = inForce.filter(({ listener }) => listener === null).map(({ name }) => name)
  return waiting.length === 0
    ? { status: 200, body: { ready: true } }
    : { status: 503, body: { ready: false, code: 'LISTEN_FAILED', services: waiting } }
}

function send(res: ServerResponse, answer: Answer): void {
  const { contentType, text } =
    'text' in answer ? answer.text : { contentType: 'application/json', text: JSON.stringify(answer.body) }
  res.writeHead(answer.status, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) })
  res.end(text)
}

const invalid = (cause: string): Problem =>
  problem('ROUTES_INVALID', {
    message: `The request cannot be used: ${cause}`,
    remedy: 'Send complete, valid routes.',
  })

const unknownService = (name: string): Problem =>
  problem('SERVICE_UNKNOWN', {
    message: `The data plane knows no service ${name}.`,
    remedy: 'Set its routes first.',
  })

const unknownPath = (key: string): Answer => ({
  status: 404,
  body: problem('CONTROL_UNKNOWN', {
    message: `There is no ${key} here.`,
    remedy: 'Use the same version of controller and proxy.',
  }),
})

const internal = (error: unknown): Problem =>
  problem('INTERNAL', {
    message: 'The data plane made a mistake.',
    cause: String(error),
    remedy: 'Please report this.',
    retryable: true,
  })
