import { chmod } from 'node:fs/promises'
import { createServer as createHttpServer, type Server } from 'node:http'
import { userInfo } from 'node:os'
import { getRequestListener } from '@hono/node-server'
import { problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import { createApp } from './app.ts'
import type { Door } from './door.ts'
import type { EventClients } from './event-route.ts'
import { DEFAULT_LIMITS, type ServerOptions, type Settings } from './options.ts'
import { prepareSocketFile } from './socket-file.ts'

/** The API and the page, on a unix socket and on 127.0.0.1. */
export type ApiServer = {
  /** For the CLI: mode 0600, no token. */
  listenSocket(path: string): Promise<Result<{ path: string }>>
  /** For browsers: 127.0.0.1 only, token needed. Port 0 takes a free one. */
  listenTcp(port: number): Promise<Result<{ url: string; port: number }>>
  /** Ends event streams and connections at once; the engine behind goes on. */
  close(): Promise<void>
}

const MIN_TOKEN_LENGTH = 32

export function createServer<Context>(options: ServerOptions<Context>): ApiServer {
  if (options.token.length < MIN_TOKEN_LENGTH)
    throw new Error(`the token must have ${MIN_TOKEN_LENGTH} characters`)
  const settings = withDefaults(options)
  const closing = new AbortController()
  const clients: EventClients = { count: 0, closing: closing.signal }
  const servers: Server[] = []

  return {
    async listenSocket(path) {
      const prepared = await prepareSocketFile(path)
      if (prepared.kind === 'failed') return prepared
      const server = httpServer(settings, { kind: 'socket' }, clients)
      const error = await listening(server, { path })
      if (error !== null) return failed(cannotListen('SOCKET_UNUSABLE', path, error))
      servers.push(server)
      await chmod(path, 0o600)
      return ok({ path })
    },
    async listenTcp(port) {
      const door: Door = { kind: 'tcp', port: () => portOf(server) }
      const server: Server = httpServer(settings, door, clients)
      const error = await listening(server, { host: '127.0.0.1', port })
      if (error !== null) return failed(cannotListen('PORT_UNUSABLE', `127.0.0.1:${port}`, error))
      servers.push(server)
      return ok({ url: `http://127.0.0.1:${portOf(server)}`, port: portOf(server) })
    },
    async close() {
      closing.abort()
      await Promise.all(servers.splice(0).map(closed))
    },
  }
}

const withDefaults = <Context>(options: ServerOptions<Context>): Settings<Context> => ({
  ...options,
  owner: options.owner ?? userInfo().username,
  now: options.now ?? Date.now,
  limits: { ...DEFAULT_LIMITS, ...options.limits },
})

function httpServer<Context>(settings: Settings<Context>, door: Door, clients: EventClients): Server {
  const app = createApp(settings, door, clients)
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  return createHttpServer(
    { requestTimeout: 30_000, headersTimeout: 10_000, maxHeaderSize: 16_384 },
    (request, response) => {
      void listener(request, response)
    },
  )
}

const listening = (
  server: Server,
  where: { path: string } | { host: string; port: number },
): Promise<NodeJS.ErrnoException | null> =>
  new Promise((resolve) => {
    server.once('error', resolve)
    server.listen(where, () => {
      server.removeListener('error', resolve)
      resolve(null)
    })
  })

const cannotListen = (
  code: 'SOCKET_UNUSABLE' | 'PORT_UNUSABLE',
  where: string,
  error: NodeJS.ErrnoException,
) =>
  problem(code, {
    message: `Cannot listen on ${where}.`,
    cause: error.message,
    remedy:
      error.code === 'EADDRINUSE'
        ? 'Another program listens there. Stop it or choose another port.'
        : 'Choose another place to listen.',
  })

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
