import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import {
  type Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach } from 'vitest'
import * as z from 'zod'
import { RouterState } from '../core/shared/router-state.ts'
import type { RouteInstance, ServiceRoutes } from '../core/shared/routes.ts'
import { NO_SIDE_ROUTES } from '../core/shared/side-routes.ts'
import { ServiceCounts } from '../core/shared/traffic-counts.ts'

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))
/** Of everything that is waited for. */
const WAIT_MS = 45_000
const LAUNCH = `const { runProxy } = await import(process.argv[1]); await runProxy(process.argv.slice(2))`

/** What a proxy is started with, before its own words. */
export const PROXY_PROGRAM = [process.execPath, '--input-type=module', '-e', LAUNCH, MAIN] as const

const HandedOver = z.object({ pid: z.int(), version: z.string() })
const Livez = z.object({
  pid: z.int(),
  boot: z.string(),
  version: z.string(),
  leaving: z.int(),
  workers: z.object({ asked: z.int(), pids: z.array(z.int()) }),
})

/**
 * A real program that takes over and, when it hears or is about to say this, kills itself, the process that served, or both:
 * `dies('says serving', 'heir')`.
 */
export function dies(moment: string, victim: 'heir' | 'elder' | 'both'): string[] {
  const pids = victim === 'heir' ? 'own' : victim === 'elder' ? 'elder' : 'elder, own'
  const code = `
    const own = process.pid, elder = process.ppid, say = process.send.bind(process)
    const at = (moment) => { if (moment === ${JSON.stringify(moment)}) for (const pid of [${pids}]) process.kill(pid, 'SIGKILL') }
    process.on('message', ({ kind }) => at('hears ' + kind))
    process.send = (message, ...more) => { at('says ' + message.kind); return say(message, ...more) }
    ${LAUNCH}`
  return [process.execPath, '--input-type=module', '-e', code, MAIN]
}

function endHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

export type Answer = {
  status: number
  headers: IncomingMessage['headers']
  body: string
  trailers: IncomingMessage['trailers']
}

/** A real proxy in a process of its own. */
export class ProxyProcess {
  readonly folder: string
  stderr = ''
  exit: Promise<number | null> = Promise.resolve(null)
  private child: ChildProcess | null = null
  /** Of processes that took over. */
  private readonly heirs: number[] = []
  private readonly args: string[]

  constructor(folder: string, args: string[]) {
    this.folder = folder
    this.args = args
  }

  get socket(): string {
    return join(this.folder, 'control.sock')
  }

  get pid(): number {
    return this.child?.pid ?? 0
  }

  async start(): Promise<void> {
    const [command, ...words] = PROXY_PROGRAM
    const args = [...words, '--folder', this.folder, '--socket', this.socket, ...this.args]
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr?.on('data', (chunk) => {
      this.stderr += chunk
    })
    this.child = child
    this.exit = new Promise((resolve) => child.once('exit', (code) => resolve(code)))
    await until('proxy answers', async () => (await this.control('GET', '/livez')).status === 200)
  }

  kill(signal: NodeJS.Signals): void {
    this.child?.kill(signal)
  }

  /** The running one hands over to a program; the answer of the control socket, with the pid of who serves then. */
  async upgrade(program: readonly string[] = PROXY_PROGRAM): Promise<{ status: number; body: unknown }> {
    const answer = await this.control('POST', '/upgrade', { program })
    const handed = HandedOver.safeParse(answer.body)
    if (handed.success) this.heirs.push(handed.data.pid)
    return answer
  }

  /** Who serves now. */
  async livez(): Promise<z.infer<typeof Livez>> {
    return Livez.parse((await this.control('GET', '/livez')).body)
  }

  /** Workers that serve beside the one that leads, when there are as many as were asked for. */
  async workers(): Promise<number[]> {
    let serving: number[] = []
    await until('all workers serve', async () => {
      const { asked, pids } = (await this.livez()).workers
      serving = pids
      return pids.length === asked - 1
    })
    return serving
  }

  /** As when the program that started it dies. */
  closeLog(): void {
    this.child?.stderr?.destroy()
  }

  async remove(): Promise<void> {
    const serving = await this.livez().catch(() => null)
    this.kill('SIGKILL')
    await this.exit
    const serve = serving === null ? [] : [serving.pid, ...serving.workers.pids]
    for (const pid of [...this.heirs, ...serve]) endHard(pid)
    await rm(this.folder, { recursive: true, force: true })
  }

  async control(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const answer = await call({
      socketPath: this.socket,
      method,
      path,
      body: body === undefined ? '' : JSON.stringify(body),
    })
    return { status: answer.status, body: JSON.parse(answer.body) }
  }

  async setRoutes(routes: ServiceRoutes): Promise<number> {
    const { status, body } = await this.control('PUT', `/services/${routes.service}/routes`, routes)
    if (status !== 200) throw new Error(JSON.stringify(body))
    return this.port(routes.service)
  }

  async state(service = 'shop'): Promise<RouterState> {
    return RouterState.parse((await this.control('GET', `/services/${service}/state`)).body)
  }

  async port(service = 'shop'): Promise<number> {
    return (await this.state(service)).listening?.port ?? 0
  }

  async counts(service = 'shop'): Promise<ServiceCounts> {
    return ServiceCounts.parse((await this.control('GET', `/services/${service}/counts`)).body)
  }
}

export async function makeProxy(
  limits: Record<string, number> = {},
  args: string[] = [],
): Promise<ProxyProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-proxy-'))
  const proxy = new ProxyProcess(folder, ['--limits', JSON.stringify(limits), ...args])
  await proxy.start()
  return proxy
}

export type Origin = { server: Server; port: number; close(): Promise<void>; seen: IncomingMessage[] }

/** An instance on a free port. */
export async function makeOrigin(
  serve: (req: IncomingMessage, res: ServerResponse) => void = (_, res) => res.end('ok'),
  host = '127.0.0.1',
): Promise<Origin> {
  const seen: IncomingMessage[] = []
  const server = createServer((req, res) => {
    seen.push(req)
    serve(req, res)
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { server, port: portOf(server), seen, close }
}

export const portOf = (server: { address(): AddressInfo | string | null }): number => {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Answers with its name: `/slow` after a while, `/never` not at all, `/events` with a stream that does not end. */
export const named = (name: string) => (req: IncomingMessage, res: ServerResponse) => {
  if (req.url === '/events') {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write('data: 1\n\n')
  } else if (req.url === '/slow') setTimeout(() => res.end(name), 600)
  else if (req.url !== '/never') res.end(name)
}

/** Makes instances that answer with their name; they are closed when the test ends. */
export function useOrigins(): (name: string) => Promise<Origin> {
  const origins: Origin[] = []
  afterEach(async () => {
    for (const made of origins.splice(0)) await made.close()
  })
  return async (name) => {
    const made = await makeOrigin(named(name))
    origins.push(made)
    return made
  }
}

/** Nobody listens there, and nobody is given them: a port that was free a moment ago may be somebody's now. */
const DEAD_PORTS = [1, 2, 3, 4, 5, 6] as const
let deadPorts = 0

/** A port where nobody listens, another one each time. */
export async function deadPort(): Promise<number> {
  deadPorts += 1
  return DEAD_PORTS[deadPorts % DEAD_PORTS.length] ?? 1
}

type SetInput = { release?: string; weight?: number; ports: number[]; draining?: number[] }

/** Routes of the service `shop` with sensible values. */
export function routesOf(
  sets: SetInput[],
  sequence: number,
  more: Partial<ServiceRoutes> = {},
): ServiceRoutes {
  const entry = (state: RouteInstance['state']) => (port: number) => ({
    id: `i-${port}`,
    host: '127.0.0.1',
    port,
    state,
  })
  return {
    service: 'shop',
    token: { epoch: 1, sequence, rollout: null },
    listen: { host: '127.0.0.1', port: 0 },
    stable: sets[0]?.release ?? 'v1',
    sets: sets.map(({ release = 'v1', weight = 1000, ports, draining = [] }) => ({
      release,
      version: release,
      weightPermille: weight,
      instances: [...ports.map(entry('active')), ...draining.map(entry('draining'))],
    })),
    drain: { requestsMs: 20_000, websocketsMs: 500 },
    slowStartMs: 0,
    onControllerLoss: { kind: 'hold' },
    probeKey: 'probe-secret',
    ...NO_SIDE_ROUTES,
    ...more,
  }
}

type Call = {
  port?: number
  socketPath?: string
  method?: string
  path?: string
  headers?: Record<string, string>
  body?: string | Buffer
  agent?: Agent
}

export function call({
  port,
  socketPath,
  method = 'GET',
  path = '/',
  headers = {},
  body = '',
  agent,
}: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const target = socketPath === undefined ? { host: '127.0.0.1', port } : { socketPath }
    const length = body.length > 0 ? { 'content-length': `${Buffer.byteLength(body)}` } : {}
    const req = request(
      { ...target, method, path, headers: { ...length, ...headers }, agent: agent ?? false },
      (res) => {
        const chunks: Buffer[] = []
        res.on('data', (chunk: Buffer) => chunks.push(chunk))
        res.on('error', reject)
        res.on('end', () =>
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            body: Buffer.concat(chunks).toString('utf8'),
            trailers: res.trailers,
          }),
        )
      },
    )
    req.on('error', reject)
    req.end(body)
  })
}

/** Sends bytes as they are and answers with all that came back until the server closed, or until `enough` is there. */
export function raw(port: number, bytes: string, enough?: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')))
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no end, so far: ${text}`))
    }, WAIT_MS)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (enough?.(text) === true) socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(text)
    })
  })
}

/** Waits for a condition; far longer than it takes, so that a slow machine gets its time. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + WAIT_MS
  while (Date.now() < end) {
    if (await holdsWithin(holds)) return
    await pause(10)
  }
  throw new Error(`waited ${WAIT_MS} ms in vain: ${what}`)
}

async function holdsWithin(holds: () => boolean | Promise<boolean>): Promise<boolean> {
  try {
    return await holds()
  } catch {
    return false
  }
}

export function connectFails(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', () => resolve(true))
  })
}
