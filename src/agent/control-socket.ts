import { chmodSync, rmSync, statSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'

/** A living agent answers /livez at once; this is for one on a very busy host. */
const LIVEZ_LIMIT_MS = 2000
/** sun_path of unix(7) is 108 bytes on Linux and 104 on macOS, the closing zero included. */
const LONGEST_PATH_BYTES = 103

/** Makes room for the socket: one that nobody answers on is removed, anything else is a reason not to start. */
export async function clearSocket(path: string): Promise<Result<void>> {
  if (Buffer.byteLength(path) > LONGEST_PATH_BYTES) return failed(pathTooLong(path))
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return ok(undefined)
  if (!found.isSocket()) return failed(notASocket(path))
  const owner = await whoAnswers(path)
  if (owner !== null) return failed(agentRunning(owner))
  rmSync(path, { force: true })
  return ok(undefined)
}

/** Serves the control interface on a unix socket of mode 0600. */
export async function listenOnSocket(path: string, app: Hono): Promise<Server> {
  const server = createServer(getRequestListener(app.fetch))
  const umask = process.umask(0o177)
  try {
    await listen(server, path)
  } finally {
    process.umask(umask)
  }
  chmodSync(path, 0o600)
  return server
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => resolve())
  })
}

/** What an agent says about itself on this socket; `null` when nobody answers. */
function whoAnswers(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(LIVEZ_LIMIT_MS)
    const asked = request({ socketPath: path, path: '/livez', agent: false, signal }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('end', () => resolve(/"pid":(\d+)/.exec(text)?.[1] ?? 'unknown'))
      answer.on('error', () => resolve('unknown'))
    })
    // Connected but silent is somebody who is busy or paused, not a dead socket.
    asked.on('error', () => resolve(signal.aborted ? 'unknown' : null))
    asked.end()
  })
}

export const agentRunning = (pid: string) =>
  problem('AGENT_ALREADY_RUNNING', {
    message: `another agent runs here already (pid ${pid})`,
    remedy: `Use it, or end it first: kill ${pid}. Its instances run on.`,
  })

const notASocket = (path: string) =>
  problem('AGENT_SOCKET_OCCUPIED', {
    message: `${path} exists and is not a socket`,
    remedy: 'Remove the file, or choose another --socket.',
  })

const pathTooLong = (path: string) =>
  problem('AGENT_SOCKET_PATH_TOO_LONG', {
    message: `the socket path ${path} has ${Buffer.byteLength(path)} bytes; the system allows ${LONGEST_PATH_BYTES}`,
    remedy: 'Choose a shorter folder, or give --socket a short path such as /run/sluice/agent.sock.',
  })
