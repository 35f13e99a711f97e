import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServiceRoutes } from '../../core/shared/routes.ts'
import { hasOpenssl, makeCertificate } from '../../proxy/tls/certificates.test.kit.ts'
import type { LongRequest, RouterSetup, Visit, VisitRequest } from '../conformance/router/kit.ts'

const WAIT_MS = 45_000

type Instance = { server: Server; seen: string[]; close(): Promise<void> }
type Users = Required<
  Pick<
    RouterSetup,
    'startUpstream' | 'send' | 'visit' | 'hold' | 'openWebSocket' | 'beginUpload' | 'takenAddress' | 'cleanup'
  >
> &
  Pick<RouterSetup, 'makeCertificate'>

/**
 * Instances behind a router under test and users in front of it, over real sockets. `portOf` says where the service
 * listens now. `cleanup` ends all of them.
 */
export function createRouterUsers(portOf: () => Promise<number>): Users {
  const instances: Instance[] = []
  const closing: (() => Promise<unknown>)[] = []
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const atPort = rememberedPort(portOf)
  const certificates: string[] = []
  const timesSeen = (path: string) =>
    instances.reduce((sum, { seen }) => sum + seen.filter((one) => one === path).length, 0)
  const reached = (path: string, before = 0) =>
    until(`an instance has ${path}`, () => timesSeen(path) > before)
  return {
    async startUpstream(release) {
      const instance = await startInstance(release)
      instances.push(instance)
      const port = portIn(instance.server)
      return { id: `i-${port}`, host: '127.0.0.1', port, state: 'active' }
    },
    async send(count) {
      const served: Record<string, number> = {}
      for (let turn = 0; turn < count; turn += 1) {
        const name = await atPort((port) => ask({ port, agent }))
        served[name] = (served[name] ?? 0) + 1
      }
      return served
    },
    visit: (given) => atPort((port) => visit(port, given, agent)),
    async hold() {
      const held = request({ host: '127.0.0.1', port: await portOf(), path: '/hold', agent: false })
      const ended = new Promise<void>((resolve) => {
        held.on('response', (answer) =>
          answer
            .resume()
            .on('end', resolve)
            .on('error', () => resolve()),
        )
        held.on('error', () => resolve())
      })
      const before = timesSeen('/hold')
      held.end()
      await reached('/hold', before)
      return { ended }
    },
    openWebSocket: async () => openWebSocket(await portOf(), reached),
    beginUpload: async () => beginUpload(await portOf(), reached),
    async takenAddress() {
      const other = createTcpServer()
      other.listen(0, '127.0.0.1')
      await once(other, 'listening')
      closing.push(async () => void other.close())
      return { host: '127.0.0.1', port: portIn(other) }
    },
    ...(hasOpenssl
      ? {
          makeCertificate(name, names) {
            const folder = mkdtempSync(join(tmpdir(), 'sluice-certificates-'))
            certificates.push(folder)
            return makeCertificate(folder, name, { names })
          },
        }
      : {}),
    async cleanup() {
      agent.destroy()
      for (const folder of certificates.splice(0)) rmSync(folder, { recursive: true, force: true })
      for (const instance of instances.splice(0)) await instance.close()
      for (const close of closing.splice(0)) await close()
    },
  }
}

/** Answers with the name of its release, the variant that it was told and what it saw of the request (`x-seen`); `/public` is for everybody, `fail` a 500, `/slow-shadow/RELEASE/MS` slow where that release answers; `/hold` never, `/upload` once it has all of the body, `/socket` with a WebSocket. */
async function startInstance(release: string): Promise<Instance> {
  const seen: string[] = []
  const server = createServer((req, res) => {
    // A first byte of the body: from now on the request is under way at this instance.
    if (req.url === '/upload')
      req.once('data', () => seen.push('/upload')).on('end', () => answer(res, release))
    else if (req.url === '/hold') seen.push('/hold')
    else {
      const variant = req.headers['sluice-variant']
      if (typeof variant === 'string') res.setHeader('x-variant', variant)
      res.setHeader('x-seen', JSON.stringify(seenOf(req)))
      if (req.url === '/public') res.setHeader('cache-control', 'max-age=60, Public')
      res.statusCode = req.url?.endsWith('fail') === true ? 500 : 200
      // A body that nobody reads holds up its connection.
      req.resume()
      setTimeout(() => answer(res, release), delayIn(req.url ?? '', release))
    }
  })
  server.keepAliveTimeout = 60_000
  server.on('upgrade', (_, socket) => {
    socket.on('error', () => undefined).on('end', () => socket.end())
    // The answer to the one key that these users send; HAProxy looks whether it is right.
    const accept = 'sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo='
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n${accept}\r\n\r\n`,
    )
    seen.push('/socket')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.close()
    server.closeAllConnections()
  }
  return { server, seen, close }
}

function seenOf({ url, headers }: IncomingMessage) {
  const { host, forwarded, 'x-forwarded-proto': proto } = headers
  return { path: url, host, proto, forwarded }
}

function delayIn(path: string, release: string): number {
  const [, slow, ms] = /^\/slow-shadow\/(.+)\/(\d+)$/.exec(decodeURIComponent(path)) ?? []
  return slow === release ? Number(ms) : 0
}

const answer = (res: ServerResponse, text: string) => res.end(text)

const portIn = (server: { address(): AddressInfo | string | null }): number => {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function ask({ port, agent }: { port: number; agent: Agent }): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, agent }, (res) => {
      let text = ''
      res.setEncoding('utf8')
      res.on('data', (part: string) => {
        text += part
      })
      res.on('error', reject)
      res.on('end', () => resolve(res.statusCode === 200 ? text : `answer ${res.statusCode}`))
    })
      .on('error', reject)
      .end()
  })
}

type AtPort = <T>(use: (port: number) => Promise<T>) => Promise<T>

/**
 * Many users come one after the other, also while the router reads its configuration again. It reads its log, and nginx all
 * processes, to say where it listens: it is asked again only when nobody listens there any more.
 */
function rememberedPort(portOf: () => Promise<number>): AtPort {
  let known: number | null = null
  return async (use) => {
    known ??= await portOf()
    const tried = known
    try {
      return await use(tried)
    } catch (error) {
      const now = isRefused(error) ? await portOf() : tried
      if (now === tried) throw error
      known = now
      return await use(now)
    }
  }
}

const isRefused = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'

function visit(
  port: number,
  { method = 'GET', path = '/', headers = {}, body, isKept = false }: VisitRequest,
  agent: Agent,
): Promise<Visit> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, method, path, headers, agent: isKept && agent }, (res) => {
      let text = ''
      res.setEncoding('utf8')
      res.on('data', (part: string) => {
        text += part
      })
      res.on('error', reject)
      res.on('end', () => {
        const variant = res.headers['x-variant']
        resolve({
          status: res.statusCode ?? 0,
          body: text,
          variant: typeof variant === 'string' ? variant : null,
          cookies: res.headers['set-cookie'] ?? [],
        })
      })
    })
      .on('error', reject)
      .end(body)
  })
}

async function openWebSocket(port: number, reached: (path: string) => Promise<void>): Promise<LongRequest> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  const opening = request({ host: '127.0.0.1', port, path: '/socket', headers, agent: false })
  opening.end()
  const [, socket] = await once(opening, 'upgrade')
  await reached('/socket')
  const ended = new Promise<'complete' | 'cut'>((resolve) => {
    socket.on('error', () => undefined).on('close', () => resolve('cut'))
    socket.resume()
  })
  return { ended, finish: () => socket.end() }
}

async function beginUpload(port: number, reached: (path: string) => Promise<void>): Promise<LongRequest> {
  const upload = request({
    ...{ host: '127.0.0.1', port, path: '/upload', method: 'POST', agent: false },
    headers: { 'content-length': '10' },
  })
  const ended = new Promise<'complete' | 'cut'>((resolve) => {
    upload.on('error', () => resolve('cut'))
    upload.on('response', (res) => {
      res.resume().on('error', () => resolve('cut'))
      res.on('end', () => resolve(res.statusCode === 200 ? 'complete' : 'cut'))
    })
  })
  upload.write('12345')
  await reached('/upload')
  return { ended, finish: () => upload.end('67890') }
}

/**
 * Runs `setRoutes` in a process of its own and kills that process so long after the call began. The module's `make` gets
 * `options` and answers with a router.
 */
export async function callAndKill(
  made: { module: string; make: string; options: unknown },
  routes: ServiceRoutes,
  afterMs: number,
): Promise<void> {
  const child = fork(new URL('./router-caller-fixture.ts', import.meta.url), [], { stdio: 'ignore' })
  const gone = once(child, 'exit')
  await heard(child, 'ready')
  child.send({ ...made, routes })
  await heard(child, 'calls')
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  child.kill('SIGKILL')
  await gone
}

async function heard(child: ChildProcess, word: string): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), WAIT_MS)
  for (;;) {
    const [said] = await once(child, 'message')
    if (said === word) break
  }
  clearTimeout(timer)
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + WAIT_MS
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited ${WAIT_MS} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
