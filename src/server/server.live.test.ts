import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { createServer as createNetServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import type { ServiceView } from '../core/rollout/view.ts'
import { problem } from '../core/shared/problem.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { Operation } from '../operations/operation.ts'
import type { ServerOptions } from './options.ts'
import { type ApiServer, createServer } from './server.ts'

const TOKEN = 'test-token-0123456789-0123456789-abcdef'
const BEARER = { authorization: `Bearer ${TOKEN}` }
const JSON_TYPE = { 'content-type': 'application/json' }

type Context = { calls: unknown[] }

const operation = <Input extends z.ZodType, Output extends z.ZodType>(
  definition: Operation<Context, Input, Output>,
) => definition

const operations: Operation<Context>[] = [
  operation({
    name: 'promote',
    summary: 'Goes on with the next step.',
    input: z.object({ service: z.string().exactOptional() }),
    output: z.object({ by: z.string(), face: z.string() }),
    permission: 'operate',
    async run(context, input, caller) {
      context.calls.push(input)
      return ok({ by: caller.name, face: caller.face })
    },
  }),
  operation({
    name: 'abort',
    summary: 'Refuses.',
    input: z.object({}),
    output: z.object({}),
    permission: 'operate',
    run: async () =>
      failed(problem('NOTHING_IN_PROGRESS', { message: 'Nothing runs.', remedy: 'Deploy a version first.' })),
  }),
  operation({
    name: 'explode',
    summary: 'Has a bug.',
    input: z.object({}),
    output: z.object({}),
    permission: 'read',
    run: async () => {
      throw new Error('a secret detail')
    },
  }),
  operation({
    name: 'hang',
    summary: 'Never answers.',
    input: z.object({}),
    output: z.object({}),
    permission: 'read',
    run: () => new Promise<never>(() => {}),
  }),
]

const view = (revision: number, stream = 'shop.local'): ServiceView => ({
  schemaVersion: 1,
  asOf: 0,
  revision,
  stream,
  service: 'shop',
  environment: 'local',
  production: false,
  listen: '127.0.0.1:8080',
  stable: null,
  sets: [],
  rollout: null,
  queued: null,
  timeline: [],
  actions: [],
  warnings: [],
})

let folder: string
let server: ApiServer
let context: Context
let listeners: Set<(view: ServiceView) => void>
const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() }

function start(more: Partial<ServerOptions<Context>> = {}): ApiServer {
  server = createServer<Context>({
    operations,
    context,
    subscribe: (_stream, listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    views: async (stream) => (stream === null || stream === 'shop.local' ? [view(1)] : []),
    token: TOKEN,
    pageFolder: join(folder, 'page'),
    version: '0.1.0',
    health: async () => ok(undefined),
    log,
    owner: 'owner',
    ...more,
  })
  return server
}

async function startTcp(more: Partial<ServerOptions<Context>> = {}): Promise<number> {
  const listening = await start(more).listenTcp(0)
  if (listening.kind === 'failed') throw new Error(listening.problem.message)
  return listening.value.port
}

async function startSocket(more: Partial<ServerOptions<Context>> = {}): Promise<string> {
  const listening = await start(more).listenSocket(join(folder, 'run', 'c.sock'))
  if (listening.kind === 'failed') throw new Error(listening.problem.message)
  return listening.value.path
}

type Ask = RequestOptions & { body?: string }
type Answer = {
  status: number
  headers: IncomingMessage['headers']
  text: string
  json: () => Record<string, unknown>
}

function open({ body, ...options }: Ask): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ host: '127.0.0.1', agent: false, ...options }, resolve)
    asked.once('error', reject)
    asked.end(body)
  })
}

async function ask(options: Ask): Promise<Answer> {
  const answer = await open(options)
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += chunk
  return { status: answer.statusCode ?? 0, headers: answer.headers, text, json: () => JSON.parse(text) }
}

const post = (port: number, path: string, headers: Record<string, string>, body = '{}') =>
  ask({ port, path, method: 'POST', headers, body })

const own = (port: number) => ({ origin: `http://127.0.0.1:${port}` })

async function login(port: number): Promise<string> {
  const answer = await ask({ port, path: `/login?token=${TOKEN}` })
  return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-server-'))
  context = { calls: [] }
  listeners = new Set()
  log.error.mockClear()
})

afterEach(async () => {
  await server?.close()
  await rm(folder, { recursive: true, force: true })
})

describe('socket', () => {
  it('is open to its owner only, whatever the umask', async () => {
    const before = process.umask(0)
    try {
      const path = await startSocket()
      expect((await stat(path)).mode & 0o777).toBe(0o600)
      expect((await stat(join(folder, 'run'))).mode & 0o777).toBe(0o700)
    } finally {
      process.umask(before)
    }
  })

  it('needs no token and takes the name of the caller from the header', async () => {
    const socketPath = await startSocket()
    const headers = { ...JSON_TYPE, 'x-sluice-actor': 'ada <1>' }
    const answer = await ask({ socketPath, path: '/api/v1/promote', method: 'POST', headers, body: '{}' })
    expect(answer.status).toBe(200)
    expect(answer.json()).toEqual({ by: 'ada 1', face: 'cli' })
  })

  it('demands the JSON content type on the socket, too', async () => {
    const socketPath = await startSocket()
    const answer = await ask({ socketPath, path: '/api/v1/promote', method: 'POST', body: '{}' })
    expect(answer.status).toBe(415)
  })

  it('removes a file left by a dead owner and never disturbs a living one', async () => {
    const path = await startSocket()
    const second = createServer<Context>({ ...baseOptions() })
    expect(await second.listenSocket(path)).toMatchObject({
      kind: 'failed',
      problem: { code: 'SOCKET_IN_USE' },
    })
    expect((await ask({ socketPath: path, path: '/livez' })).status).toBe(200)
    await server.close()
    await leaveStaleSocket(path)
    expect(await second.listenSocket(path)).toMatchObject({ kind: 'ok' })
    await second.close()
  })

  it('refuses a folder that others may enter, a file that is no socket, and a path that is too long', async () => {
    start()
    const refusal = async (path: string) => {
      const listening = await server.listenSocket(path)
      return listening.kind === 'failed' ? listening.problem.code : 'ok'
    }
    const shared = join(folder, 'shared')
    const { chmod, mkdir } = await import('node:fs/promises')
    await mkdir(shared)
    await chmod(shared, 0o755)
    expect(await refusal(join(shared, 'c.sock'))).toBe('SOCKET_FOLDER_OPEN')
    await writeFile(join(folder, 'file'), 'mine')
    expect(await refusal(join(folder, 'file'))).toBe('SOCKET_PATH_TAKEN')
    expect(await refusal(join(folder, 'x'.repeat(120)))).toBe('SOCKET_PATH_TOO_LONG')
  })
})

const baseOptions = (): ServerOptions<Context> => ({
  operations,
  context,
  subscribe: () => () => {},
  views: async () => [],
  token: TOKEN,
  pageFolder: folder,
  version: '0.1.0',
  health: async () => ok(undefined),
  log,
})

/** A process that dies without closing leaves its file: linking the socket keeps one after `close` removed the other. */
async function leaveStaleSocket(path: string): Promise<void> {
  const { link } = await import('node:fs/promises')
  const dead = createNetServer()
  await new Promise<void>((resolve) => dead.listen(`${path}.1`, resolve))
  await link(`${path}.1`, path)
  await new Promise((resolve) => dead.close(resolve))
}

describe('TCP guards', () => {
  it('refuses a foreign Host header before anything else', async () => {
    const port = await startTcp()
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      `127.0.0.1:${port + 1}`,
      '127.0.0.1',
      `[::1]:${port}`,
    ]) {
      const answer = await ask({ port, path: '/livez', headers: { host } })
      expect([host, answer.status]).toEqual([host, 421])
      expect(answer.json()).toMatchObject({ code: 'HOST_NOT_ALLOWED' })
    }
    expect((await ask({ port, path: '/livez', headers: { host: `localhost:${port}` } })).status).toBe(200)
  })

  it('refuses changes from a foreign page, even with the right cookie or token', async () => {
    const port = await startTcp()
    const cookie = await login(port)
    for (const origin of [
      'http://evil.example',
      `https://127.0.0.1:${port}`,
      `http://127.0.0.1:${port + 1}`,
      'null',
    ]) {
      const answer = await post(port, '/api/v1/promote', { ...JSON_TYPE, cookie, origin })
      expect([origin, answer.status]).toEqual([origin, 403])
    }
    expect(
      (await post(port, '/api/v1/promote', { ...JSON_TYPE, ...BEARER, origin: 'http://evil.example' }))
        .status,
    ).toBe(403)
    expect((await post(port, '/api/v1/promote', { ...JSON_TYPE, cookie })).status).toBe(403)
    expect(context.calls).toEqual([])
  })

  it('refuses reads and login attempts started by another page', async () => {
    const port = await startTcp()
    const cookie = await login(port)
    const foreign = { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' }
    expect((await ask({ port, path: '/api/v1/events', headers: { cookie, ...foreign } })).status).toBe(403)
    expect((await ask({ port, path: '/login?token=x', headers: foreign })).status).toBe(403)
  })

  it('refuses the API without a token, with a wrong token and with a forged cookie', async () => {
    const port = await startTcp()
    const none = await post(port, '/api/v1/promote', { ...JSON_TYPE, ...own(port) })
    expect([none.status, none.json().code, none.headers['www-authenticate']]).toEqual([
      401,
      'LOGIN_REQUIRED',
      'Bearer realm="sluice"',
    ])
    const wrong = await post(port, '/api/v1/promote', { ...JSON_TYPE, authorization: 'Bearer wrong' })
    expect([wrong.status, wrong.json().code]).toEqual([401, 'LOGIN_FAILED'])
    const cookie = `sluice_${port}=99999999999999.forged`
    expect((await post(port, '/api/v1/promote', { ...JSON_TYPE, ...own(port), cookie })).status).toBe(401)
    for (const path of ['/api/v1/events', '/api/v1/openapi.json', '/api/v1/nothing']) {
      expect((await ask({ port, path })).status).toBe(401)
    }
  })

  it('logs in with the token once, keeps it out of the address, and knows the page by its cookie', async () => {
    const port = await startTcp()
    const answer = await ask({ port, path: `/login?token=${TOKEN}` })
    expect([answer.status, answer.headers.location]).toEqual([303, '/'])
    const set = answer.headers['set-cookie']?.[0] ?? ''
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=']) expect(set).toContain(part)
    expect(set).not.toContain(TOKEN)
    const cookie = set.split(';')[0] ?? ''
    const called = await post(port, '/api/v1/promote', { ...JSON_TYPE, ...own(port), cookie })
    expect(called.json()).toEqual({ by: 'owner', face: 'page' })
    const byToken = await post(port, '/api/v1/promote', { ...JSON_TYPE, ...BEARER })
    expect(byToken.json()).toEqual({ by: 'owner', face: 'api' })
  })

  it('logs in by the form of the page', async () => {
    const port = await startTcp()
    const answer = await post(
      port,
      '/login',
      { ...JSON_TYPE, ...own(port) },
      JSON.stringify({ token: TOKEN }),
    )
    expect([answer.status, answer.headers['set-cookie']?.length]).toEqual([204, 1])
    const foreign = await post(
      port,
      '/login',
      { ...JSON_TYPE, origin: 'http://evil.example' },
      JSON.stringify({ token: TOKEN }),
    )
    expect(foreign.status).toBe(403)
  })

  it('ends a session after its time', async () => {
    let now = 0
    const port = await startTcp({ now: () => now })
    const cookie = await login(port)
    now = 8 * 24 * 3_600_000
    expect((await ask({ port, path: '/api/v1/openapi.json', headers: { cookie } })).status).toBe(401)
  })

  it('refuses tokens for a minute after ten wrong ones, while sessions go on', async () => {
    let now = 0
    const port = await startTcp({ now: () => now })
    const cookie = await login(port)
    for (let attempt = 0; attempt < 10; attempt += 1) {
      expect((await ask({ port, path: '/login?token=wrong' })).status).toBe(401)
    }
    const blocked = await post(port, '/api/v1/promote', { ...JSON_TYPE, ...BEARER })
    expect([blocked.status, blocked.json().code, blocked.headers['retry-after']]).toEqual([
      429,
      'LOGIN_RATE_LIMITED',
      '60',
    ])
    expect((await ask({ port, path: `/login?token=${TOKEN}` })).status).toBe(429)
    expect((await post(port, '/api/v1/promote', { ...JSON_TYPE, ...own(port), cookie })).status).toBe(200)
    now = 60_001
    expect((await post(port, '/api/v1/promote', { ...JSON_TYPE, ...BEARER })).status).toBe(200)
  })

  it('sends the security headers with every answer, also with refusals', async () => {
    const port = await startTcp()
    for (const headers of [{}, { host: 'evil.example' }]) {
      const answer = await ask({ port, path: '/api/v1/openapi.json', headers })
      expect(answer.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'")
      expect(answer.headers).toMatchObject({
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cache-control': 'no-store',
      })
    }
  })
})

describe('operations', () => {
  const call = (port: number, name: string, body: string, headers: Record<string, string> = JSON_TYPE) =>
    post(port, `/api/v1/${name}`, { ...BEARER, ...headers }, body)

  it('refuses forms, malformed, deep and oversized bodies', async () => {
    const port = await startTcp()
    const form = await call(port, 'promote', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' })
    expect([form.status, form.json().code]).toEqual([415, 'CONTENT_TYPE_NOT_JSON'])
    const plain = await call(port, 'promote', '{}', { 'content-type': 'text/plain' })
    expect(plain.status).toBe(415)
    const broken = await call(port, 'promote', '{"a":')
    expect([broken.status, broken.json().code]).toEqual([400, 'BODY_NOT_JSON'])
    const deep = await call(port, 'promote', '['.repeat(50_000) + ']'.repeat(50_000))
    expect([deep.status, deep.json().code]).toEqual([400, 'BODY_NOT_JSON'])
    const large = await call(port, 'promote', JSON.stringify('x'.repeat(1024 * 1024)))
    expect([large.status, large.json().code]).toEqual([413, 'BODY_TOO_LARGE'])
    const chunked = { ...JSON_TYPE, 'transfer-encoding': 'chunked' }
    expect((await call(port, 'promote', JSON.stringify('x'.repeat(1024 * 1024)), chunked)).status).toBe(413)
    expect(context.calls).toEqual([])
  })

  it('names the nearest operation and the nearest key', async () => {
    const port = await startTcp()
    const unknown = await call(port, 'promot', '{}')
    expect([unknown.status, unknown.json()]).toMatchObject([
      404,
      { code: 'OPERATION_NOT_FOUND', remedy: 'Did you mean "promote"?' },
    ])
    const input = await call(port, 'promote', '{"servise":"shop"}')
    expect(input.status).toBe(400)
    expect(input.headers['content-type']).toBe('application/problem+json')
    expect(input.json()).toMatchObject({
      code: 'INPUT_INVALID',
      path: 'servise',
      cause: 'unknown key',
      remedy: 'Did you mean "service"?',
    })
    const wrongMethod = await ask({ port, path: '/api/v1/promote', headers: BEARER })
    expect([wrongMethod.status, wrongMethod.headers.allow]).toEqual([405, 'POST'])
  })

  it('passes refusals on with their status', async () => {
    const port = await startTcp()
    const answer = await call(port, 'abort', '{}')
    expect([answer.status, answer.json().remedy]).toEqual([409, 'Deploy a version first.'])
  })

  it('answers a bug with an id, and tells the log alone what happened', async () => {
    const port = await startTcp()
    const answer = await call(port, 'explode', '{}')
    expect([answer.status, answer.json().code]).toEqual([500, 'INTERNAL'])
    expect(answer.text).not.toContain('secret detail')
    const fields = log.error.mock.calls[0]?.[1]
    expect(fields.error).toContain('a secret detail')
    expect(answer.text).toContain(fields.id)
  })

  it('gives up on an operation that never answers', async () => {
    const port = await startTcp({ limits: { operationMs: 50 } })
    const answer = await call(port, 'hang', '{}')
    expect([answer.status, answer.json().code]).toEqual([504, 'OPERATION_TIMEOUT'])
  })

  it('describes itself as OpenAPI 3.1', async () => {
    const port = await startTcp()
    const document = (await ask({ port, path: '/api/v1/openapi.json', headers: BEARER })).json()
    expect(document.openapi).toBe('3.1.0')
    expect(Object.keys(Object(document.paths))).toEqual([
      ...operations.map((one) => `/api/v1/${one.name}`),
      '/api/v1/events',
    ])
  })

  it('tells watchers whether it is ready, without a token and without details', async () => {
    const port = await startTcp({
      health: async () => failed(problem('STORE_UNAVAILABLE', { message: 'secret path', remedy: 'wait' })),
    })
    const ready = await ask({ port, path: '/readyz' })
    expect([ready.status, ready.json()]).toEqual([503, { ready: false, code: 'STORE_UNAVAILABLE' }])
    expect((await ask({ port, path: '/version' })).json()).toEqual({ version: '0.1.0' })
  })
})

describe('events', () => {
  const path = '/api/v1/events?stream=shop.local'
  const publish = (one: ServiceView) => {
    for (const listener of listeners) listener(one)
  }
  const collect = (answer: IncomingMessage) => {
    const got = { text: '', ended: false }
    answer.setEncoding('utf8')
    answer.on('data', (chunk) => {
      got.text += chunk
    })
    answer.on('close', () => {
      got.ended = true
    })
    answer.on('error', () => {})
    return got
  }

  it('delivers the present view, then each newer one, and heartbeats between', async () => {
    const socketPath = await startSocket({ limits: { heartbeatMs: 20 } })
    const answer = await open({ socketPath, path })
    expect(answer.headers['content-type']).toContain('text/event-stream')
    const got = collect(answer)
    await vi.waitFor(() => expect(got.text).toContain('event: service\ndata: {"schemaVersion":1'))
    publish(view(7))
    publish(view(6))
    await vi.waitFor(() => expect(got.text).toContain('id: 7'))
    await vi.waitFor(() => expect(got.text).toContain(': heartbeat\n\n'))
    expect(got.text).not.toContain('id: 6')
    answer.destroy()
  })

  it('stops listening when the client leaves, and ends the stream when the server closes', async () => {
    const socketPath = await startSocket()
    const leaving = await open({ socketPath, path })
    collect(leaving)
    await vi.waitFor(() => expect(listeners.size).toBe(1))
    leaving.destroy()
    await vi.waitFor(() => expect(listeners.size).toBe(0))
    const staying = collect(await open({ socketPath, path }))
    await server.close()
    await vi.waitFor(() => expect(staying.ended).toBe(true))
    expect(listeners.size).toBe(0)
  })

  it('keeps only the newest view for a client that does not read', async () => {
    const socketPath = await startSocket()
    const answer = await open({ socketPath, path })
    await vi.waitFor(() => expect(listeners.size).toBe(1))
    const large = 'x'.repeat(100_000)
    for (let revision = 2; revision <= 500; revision += 1) {
      publish({ ...view(revision), listen: large })
      await new Promise((resolve) => setImmediate(resolve))
    }
    const got = collect(answer)
    await vi.waitFor(() => expect(got.text).toContain('id: 500\n'))
    expect(got.text.split('id: ').length).toBeLessThan(300)
    answer.destroy()
  })

  it('refuses an unknown service and more clients than it can bear', async () => {
    const socketPath = await startSocket({ limits: { maxEventClients: 1 } })
    const unknown = await ask({ socketPath, path: '/api/v1/events?stream=nothing.local' })
    expect([unknown.status, unknown.json().code, listeners.size]).toEqual([404, 'SERVICE_NOT_FOUND', 0])
    const first = await open({ socketPath, path })
    collect(first)
    const second = await ask({ socketPath, path })
    expect([second.status, second.json().code]).toEqual([503, 'EVENTS_LIMIT'])
    first.destroy()
  })
})

describe('page', () => {
  it('says how to build it when it is missing', async () => {
    const port = await startTcp()
    const answer = await ask({ port, path: '/' })
    expect([answer.status, answer.headers['content-type']]).toEqual([503, 'text/plain; charset=UTF-8'])
    expect(answer.text).toContain('npm run build -w web')
  })

  it('serves files with type and cache time, and the page for its own addresses', async () => {
    const { mkdir } = await import('node:fs/promises')
    await mkdir(join(folder, 'page', 'assets'), { recursive: true })
    await writeFile(join(folder, 'page', 'index.html'), '<!doctype html><title>page</title>')
    await writeFile(join(folder, 'page', 'assets', 'main-abc.js'), 'export {}')
    await writeFile(join(folder, 'outside.txt'), 'secret')
    const port = await startTcp()
    const script = await ask({ port, path: '/assets/main-abc.js' })
    expect(script.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    })
    for (const path of ['/', '/services/shop.local', '/rollouts/rollout-1']) {
      const page = await ask({ port, path })
      expect([path, page.status, page.headers['cache-control']]).toEqual([path, 200, 'no-cache'])
      expect(page.text).toContain('<title>page</title>')
    }
    const index = await ask({ port, path: '/' })
    const again = await ask({ port, path: '/', headers: { 'if-none-match': index.headers.etag ?? '' } })
    expect(again.status).toBe(304)
    for (const path of ['/assets/gone.js', '/..%2foutside.txt', '/../outside.txt', '/favicon.ico']) {
      const missing = await ask({ port, path })
      expect([path, missing.status]).toEqual([path, 404])
    }
  })
})
