import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, type Mock, vi } from 'vitest'
import * as z from 'zod'
import type { ServiceView } from '../core/rollout/view/view.ts'
import { problem } from '../core/shared/problem.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { Operation } from '../operations/operation.ts'
import type { ServerOptions } from './options.ts'
import { type ApiServer, createServer } from './server.ts'

export const TOKEN = 'test-token-0123456789-0123456789-abcdef'
export const BEARER = { authorization: `Bearer ${TOKEN}` }
export const JSON_TYPE = { 'content-type': 'application/json' }

export type Context = { calls: unknown[] }

const operation = <Input extends z.ZodType, Output extends z.ZodType>(
  definition: Operation<Context, Input, Output>,
) => definition

export const operations: Operation<Context>[] = [
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
    name: 'deploy',
    summary: 'Takes a key.',
    input: z.object({ idempotencyKey: z.string().max(8).exactOptional() }),
    output: z.object({}),
    permission: 'operate',
    async run(context, input) {
      context.calls.push(input)
      return ok({})
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

export const view = (revision: number, stream = 'shop.local'): ServiceView => ({
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
  freeze: null,
  drift: null,
  lightWatch: null,
  timeline: [],
  actions: [],
  warnings: [],
})

/** What the tests of one file share; made anew for each test. */
export type ServerFixture = {
  folder: string
  /** What the operation `promote` was called with. */
  calls: unknown[]
  listeners: Set<(view: ServiceView) => void>
  log: { debug: Mock; info: Mock; warn: Mock; error: Mock }
  /** The one that was started last; it is closed when the test ends. */
  server: ApiServer
  start(more?: Partial<ServerOptions<Context>>): ApiServer
  startTcp(more?: Partial<ServerOptions<Context>>): Promise<number>
  startSocket(more?: Partial<ServerOptions<Context>>): Promise<string>
}

/** A server with four operations in a scratch folder. */
export function useServer(): ServerFixture {
  const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() }
  let [folder, context, listeners] = ['', emptyContext(), new Set<(view: ServiceView) => void>()]
  let server: ApiServer | undefined

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-server-'))
    context = emptyContext()
    listeners = new Set()
    log.error.mockClear()
  })
  afterEach(async () => {
    await server?.close()
    server = undefined
    await rm(folder, { recursive: true, force: true })
  })

  const start: ServerFixture['start'] = (more = {}) => {
    server = createServer<Context>({
      ...optionsOf(context, join(folder, 'page')),
      subscribe: (_stream, listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      views: async (stream) => (stream === null || stream === 'shop.local' ? [view(1)] : []),
      log,
      owner: 'owner',
      ...more,
    })
    return server
  }
  return {
    log,
    start,
    get folder() {
      return folder
    },
    get calls() {
      return context.calls
    },
    get listeners() {
      return listeners
    },
    get server() {
      return server ?? start()
    },
    async startTcp(more) {
      const listening = await start(more).listenTcp(0)
      if (listening.kind === 'failed') throw new Error(listening.problem.message)
      return listening.value.port
    },
    async startSocket(more) {
      const listening = await start(more).listenSocket(join(folder, 'run', 'c.sock'))
      if (listening.kind === 'failed') throw new Error(listening.problem.message)
      return listening.value.path
    },
  }
}

const emptyContext = (): Context => ({ calls: [] })

/** Of a server that knows no service. */
export const optionsOf = (context: Context, pageFolder: string): ServerOptions<Context> => ({
  operations,
  context,
  subscribe: () => () => {},
  views: async () => [],
  token: TOKEN,
  pageFolder,
  version: '0.1.0',
  readiness: () => ({ store: null, proxy: null }),
  scrape: async (process) => ok({ contentType: 'text/plain; version=0.0.4', text: `of_the_${process} 1\n` }),
  hearAlerts: async (alerts) => ok({ taken: alerts.length, known: 0, ignored: [] }),
  log: { debug() {}, info() {}, warn() {}, error() {} },
})

type Ask = RequestOptions & { body?: string }
type Answer = {
  status: number
  headers: IncomingMessage['headers']
  text: string
  json: () => Record<string, unknown>
}

export function open({ body, ...options }: Ask): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ host: '127.0.0.1', agent: false, ...options }, resolve)
    asked.once('error', reject)
    asked.end(body)
  })
}

export async function ask(options: Ask): Promise<Answer> {
  const answer = await open(options)
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += chunk
  return { status: answer.statusCode ?? 0, headers: answer.headers, text, json: () => JSON.parse(text) }
}

export const post = (port: number, path: string, headers: Record<string, string>, body = '{}') =>
  ask({ port, path, method: 'POST', headers, body })

export const own = (port: number) => ({ origin: `http://127.0.0.1:${port}` })

export async function login(port: number): Promise<string> {
  const answer = await ask({ port, path: `/login?token=${TOKEN}` })
  return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
}
