import { statSync, unlinkSync } from 'node:fs'
import { rename, unlink } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { Server as NetServer } from 'node:net'
import * as z from 'zod'
import { type Problem, problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { notFollowed } from '../core/shared/route-problems.ts'
import { ServiceRoutes } from '../core/shared/routes.ts'
import type { Exposition } from '../telemetry/exposition.ts'
import type { HandedOver } from './handover/messages.ts'
import { CONTROL_BODY_BYTES, CONTROL_TIMEOUT_MS } from './limits.ts'
import type { SignOfLife } from './loss-policy.ts'
import type { Table } from './table.ts'

/** What `/livez` tells about the process itself. `leaving`: processes before it that still end what they have. */
export type Livez = {
  boot: string
  pid: number
  version: string
  leaving: number
  /** Processes that shall serve together, this one included, and those beside it that do. */
  workers: { asked: number; pids: number[] }
  damaged: string | null
  bugs: number
}

export type ControlOptions = {
  table: Table
  life: SignOfLife
  livez: () => Livez
  /** The numbers of the process as text. */
  scrape: (accept: string) => Promise<Exposition>
  /** Hands everything to this program, which is started with the words of this one. */
  upgrade: (program: readonly string[]) => Promise<Result<HandedOver>>
}

type Answer = { status: number; body: unknown } | { status: 200; text: Exposition }

/** Asked by watchers too, so they are no sign that a controller lives. */
const WATCHED = ['/healthz', '/readyz', '/metrics']

/** Answered also while nobody may change anything or take differences. */
const ALWAYS = ['GET /livez', 'GET /healthz', 'GET /readyz', 'GET /metrics', 'POST /upgrade']

const UpgradeBody = z.object({ program: z.array(z.string().min(1)).min(1).max(32) })

const FinalizeQuery = z.object({
  epoch: z.coerce.number().int().nonnegative(),
  sequence: z.coerce.number().int().nonnegative(),
})

/** The control surface: HTTP on a unix socket that only the owner can open. */
export class Control {
  private server: Server
  private readonly options: ControlOptions
  private readonly path: string
  /** The file of the socket; another one in its place belongs to another process. */
  private inode: number | null = null
  private gate: PromiseWithResolvers<void> | null = null
  private readonly active = new Set<Promise<unknown>>()
  private isGivenAway = false

  constructor(path: string, options: ControlOptions) {
    this.path = path
    this.options = options
    this.server = this.makeServer()
  }

  /**
   * Takes the place of whoever was asked there before, in one step. The socket is bound beside its place: the system removes
   * the name that it was bound to when it is closed, and by then that place may be another's.
   */
  async listen(): Promise<void> {
    const beside = `${this.path}.new`
    await unlink(beside).catch(() => undefined)
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject)
      const before = process.umask(0o177)
      this.server.listen(beside, resolve)
      process.umask(before)
    })
    await rename(beside, this.path)
    this.inode = inodeOf(this.path)
  }

  /** Whoever asks has to wait; resolves when nobody is being answered any more. */
  async hold(limitMs: number): Promise<void> {
    this.gate ??= Promise.withResolvers<void>()
    const limit = new Promise((resolve) => setTimeout(resolve, limitMs).unref())
    await Promise.race([Promise.allSettled(this.active), limit])
  }

  /** Those who waited are answered. */
  goOn(): void {
    this.gate?.resolve()
    this.gate = null
  }

  /** Those who waited, and who come over connections that there are, are asked on behalf of them at the new place. */
  giveAway(): void {
    this.isGivenAway = true
    NetServer.prototype.close.call(this.server)
    this.goOn()
  }

  /** Somebody else may have taken the place, and is gone. */
  async reclaim(): Promise<void> {
    if (inodeOf(this.path) === this.inode) return
    NetServer.prototype.close.call(this.server)
    this.server = this.makeServer()
    await this.listen()
  }

  close(): void {
    NetServer.prototype.close.call(this.server)
    this.server.closeAllConnections()
    if (inodeOf(this.path) === this.inode) unlinkSync(this.path)
  }

  private makeServer(): Server {
    return createServer({ requestTimeout: CONTROL_TIMEOUT_MS }, (req, res) => {
      this.answer(req, res).catch(() => res.destroy())
    })
  }

  private async answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const isAlways = ALWAYS.includes(`${req.method} ${req.url}`)
    if (!isAlways) await this.gate?.promise
    if (this.isGivenAway) {
      passOn(req, res, this.path)
      return
    }
    const served = this.serve(req).catch((error: unknown) => ({ status: 500, body: internal(error) }))
    if (!isAlways) this.track(served)
    const answer = await served
    // The next one goes to who serves then.
    if (this.isGivenAway) res.setHeader('connection', 'close')
    send(res, answer)
  }

  private track(served: Promise<unknown>): void {
    this.active.add(served)
    void served.finally(() => this.active.delete(served))
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
    if (key === 'POST /upgrade') return await this.upgrade(await bodyOf(req))
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
        return await this.state(name)
      case 'GET /counts': {
        // Of a worker that does not answer, what it told a moment ago.
        await table.sight.followers.look(name)
        const counts = table.sight.counts(name)
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

  /** What is seen is in force everywhere, and of now. */
  private async state(name: string): Promise<Answer> {
    const { sight } = this.options.table
    const late = (await sight.followers.look(name)) ?? (await sight.followers.late())
    return late === null
      ? { status: 200, body: sight.state(name) }
      : { status: 503, body: notFollowed(late.pid) }
  }

  private async upgrade(body: unknown): Promise<Answer> {
    const asked = UpgradeBody.safeParse(body)
    if (!asked.success) return { status: 400, body: noProgram(z.prettifyError(asked.error)) }
    const handed = await this.options.upgrade(asked.data.program)
    return handed.kind === 'ok' ? { status: 200, body: handed.value } : { status: 409, body: handed.problem }
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

/** The file of the socket, or `null` where there is none. */
function inodeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null
}

function passOn(req: IncomingMessage, res: ServerResponse, socketPath: string): void {
  const { method, url, headers } = req
  const onward = request({ socketPath, method, path: url, headers, agent: false }, (answer) => {
    res.writeHead(answer.statusCode ?? 502, { ...answer.headers, connection: 'close' })
    answer.pipe(res)
  })
  onward.on('error', () => res.destroy())
  req.pipe(onward)
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

const noProgram = (cause: string): Problem =>
  problem('PROXY_ARGUMENTS', {
    message: 'An upgrade needs the program that shall take over, as a list of words.',
    cause,
    remedy: 'Run sluice router upgrade.',
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
