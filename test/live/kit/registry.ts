import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { findProgram } from '../../../src/adapters/tools/find-program.ts'
import { freePort } from '../../../src/testkit/free-port.ts'
import { eventually } from './settle.ts'

/** Answers by itself; `false`: what the registry answers is passed on. */
type Meddle = (asked: IncomingMessage, answer: ServerResponse) => boolean

/** A real registry on this machine, behind a door that can behave as registries do on bad days. */
export type RegistryStand = {
  /** `127.0.0.1:5000`: what stands before the names of its images. */
  host: string
  /** Requests that came through the door. */
  asked(): readonly string[]
  /** From now on; `null`: all is passed on. */
  meddle(how: Meddle | null): void
  close(): Promise<void>
}

/** Why there can be no registry here; `null` when there can. */
export const whyNoRegistry = (): string | null =>
  findProgram('docker-registry') === null ? 'docker-registry is not installed' : null

export async function startRegistry(): Promise<RegistryStand> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-registry-'))
  const inner = await freePort()
  writeFileSync(path.join(folder, 'registry.yml'), settingsOf(folder, inner))
  const registry = spawn(findProgram('docker-registry') ?? '', ['serve', path.join(folder, 'registry.yml')], {
    stdio: 'ignore',
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  })
  await eventually('the registry answers', async () => (await fetch(`http://127.0.0.1:${inner}/v2/`)).ok)
  const asked: string[] = []
  let how: Meddle | null = null
  const door = createServer((incoming, answer) => {
    asked.push(`${incoming.method} ${incoming.url}`)
    if (how?.(incoming, answer) !== true) passOn(incoming, answer, inner)
  })
  const port = await listen(door)
  return {
    host: `127.0.0.1:${port}`,
    asked: () => asked,
    meddle: (next) => {
      how = next
    },
    close: async () => {
      door.closeAllConnections()
      await new Promise((resolve) => door.close(resolve))
      await ended(registry)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const settingsOf = (folder: string, port: number): string => `
version: 0.1
log: { level: error }
storage: { filesystem: { rootdirectory: ${folder}/data } }
http: { addr: "127.0.0.1:${port}", relativeurls: true }
`

function passOn(incoming: IncomingMessage, answer: ServerResponse, port: number): void {
  const { method, url: at, headers } = incoming
  const inner = request({ host: '127.0.0.1', port, method, path: at, headers, agent: false }, (from) => {
    answer.writeHead(from.statusCode ?? 502, from.headers)
    from.pipe(answer)
  })
  inner.on('error', () => answer.destroy())
  incoming.pipe(inner)
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}
