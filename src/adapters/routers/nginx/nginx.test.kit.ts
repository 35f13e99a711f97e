import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Result } from '../../../core/shared/result.ts'
import type { RouteInstance, ServiceRoutes } from '../../../core/shared/routes.ts'
import { NO_SIDE_ROUTES } from '../../../core/shared/side-routes.ts'
import type { DataPlane } from '../../../ports/router.ts'
import { call, deadPort } from '../../../proxy/proxy-process.test.kit.ts'
import { findProgram } from '../../tools/find-program.ts'
import { createNginx } from './nginx.ts'
import { workersOf } from './processes.ts'

/** Why these tests are skipped, or `null`. */
export const skipReason: string | null = findProgram('nginx') === null ? 'nginx is not installed' : null

export const OLD = 'shop@1.0.0#a'
export const NEW = 'shop@1.1.0#b'
const DEADLINE_MS = 20_000

export type Instance = RouteInstance & { seen: IncomingMessage[]; close(): Promise<void> }
type Serve = (req: IncomingMessage, res: ServerResponse) => void

/** An nginx in a folder of its own, with instances on free ports. */
export class NginxScene {
  readonly folder: string
  plane: DataPlane
  readonly instances: Instance[] = []
  readonly warnings: string[] = []
  private readonly planes: DataPlane[] = []
  private sequence = 0

  private constructor(folder: string) {
    this.folder = folder
    this.plane = this.newPlane()
  }

  static async open(): Promise<NginxScene> {
    const folder = await mkdtemp(path.join(tmpdir(), 'sluice-nginx-'))
    // Longer than a unix socket may be.
    const scene = new NginxScene(path.join(folder, 'x'.repeat(120)))
    unwrap(await scene.plane.router.reconcile())
    return scene
  }

  /** Another controller of the same folder. */
  newPlane(): DataPlane {
    const note = (message: string) => void this.warnings.push(message)
    const log = { debug() {}, info() {}, warn: note, error: note }
    return createNginx({ folder: this.folder, log, now: Date.now })
  }

  /** An instance that answers with the name of its release. */
  async instance(release: string, serve: Serve = (_, res) => void res.end(release)): Promise<Instance> {
    const seen: IncomingMessage[] = []
    const server = createServer((req, res) => {
      seen.push(req)
      serve(req, res)
    })
    server.keepAliveTimeout = 60_000
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    const close = () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    const instance: Instance = { id: `i-${port}`, host: '127.0.0.1', port, state: 'active', seen, close }
    this.instances.push(instance)
    return instance
  }

  /** An instance that nobody reaches. */
  async goneInstance(): Promise<Instance> {
    const port = await deadPort()
    return { id: `i-${port}`, host: '127.0.0.1', port, state: 'active', seen: [], close: async () => {} }
  }

  /** Routes of `shop` with the next token; shares by release in per mille. */
  routes(shares: Record<string, [number, Instance[]]>, more: Partial<ServiceRoutes> = {}): ServiceRoutes {
    this.sequence += 1
    return {
      service: 'shop',
      token: { epoch: 1, sequence: this.sequence, rollout: null },
      listen: { host: '127.0.0.1', port: 0 },
      stable: OLD,
      sets: Object.entries(shares).map(([release, [weightPermille, instances]]) => ({
        release,
        version: release,
        weightPermille,
        instances: instances.map(({ id, host, port, state }) => ({ id, host, port, state })),
      })),
      drain: { requestsMs: 2_000, websocketsMs: 2_000 },
      slowStartMs: 0,
      onControllerLoss: { kind: 'hold' },
      probeKey: 'key',
      ...NO_SIDE_ROUTES,
      ...more,
    }
  }

  /** Sets them and answers with the port of the service. */
  async set(routes: ServiceRoutes): Promise<number> {
    unwrap(await this.plane.router.setRoutes(routes))
    return await this.port(routes.service)
  }

  async state(service = 'shop') {
    return unwrap(await this.plane.router.readState(service))
  }

  async port(service = 'shop'): Promise<number> {
    return (await this.state(service)).listening?.port ?? 0
  }

  async counts(service = 'shop') {
    const answer = await this.plane.counts.query(service)
    if (answer.kind !== 'samples') throw new Error(`expected samples, got ${JSON.stringify(answer)}`)
    return answer.counts
  }

  /** One that is closed at the end. */
  secondPlane(): DataPlane {
    const plane = this.newPlane()
    this.planes.push(plane)
    return plane
  }

  /** As its users do, past every controller; resolves once the new workers serve and the old ones leave. */
  async reloadByHand(): Promise<void> {
    const pid = await this.master()
    const before = (await workersOf({ pid, id: '' }))
      .filter(({ isLeaving }) => !isLeaving)
      .map(({ id }) => id)
    process.kill(pid, 'SIGHUP')
    await until('all workers are new', async () => {
      const now = (await workersOf({ pid, id: '' })).filter(({ isLeaving }) => !isLeaving)
      return now.length > 0 && now.every(({ id }) => !before.includes(id))
    })
  }

  file(name: string): Promise<string> {
    return readFile(path.join(this.folder, name), 'utf8')
  }

  async master(): Promise<number> {
    return Number(await this.file('nginx.pid'))
  }

  async remove(): Promise<void> {
    await Promise.all(this.instances.map((instance) => instance.close()))
    await this.plane.end()
    await Promise.all([this.plane, ...this.planes].map((plane) => plane.close()))
    await rm(path.dirname(this.folder), { recursive: true, force: true })
  }
}

/** One request on a connection of its own: a kept one may be closed by a reload just when it is used. */
export const ask = (options: Omit<Parameters<typeof call>[0], 'agent'>) => call({ agent: FRESH, ...options })
const FRESH = new Agent({ keepAlive: false })

export function unwrap<T>(result: Result<T>): T {
  if (result.kind === 'failed') throw new Error(JSON.stringify(result.problem))
  return result.value
}

export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + DEADLINE_MS
  let problem = ''
  while (Date.now() < end) {
    problem = ''
    try {
      if (await holds()) return
    } catch (error) {
      // Who does not answer just now is asked again.
      problem = `: ${error}`
    }
    await pause(10)
  }
  throw new Error(`not within ${DEADLINE_MS} ms: ${what}${problem}`)
}
