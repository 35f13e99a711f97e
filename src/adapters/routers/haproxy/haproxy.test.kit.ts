import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Result } from '../../../core/shared/result.ts'
import type { RouterState } from '../../../core/shared/router-state.ts'
import type { RouteInstance } from '../../../core/shared/routes.ts'
import type { Log } from '../../../ports/log.ts'
import type { DataPlane } from '../../../ports/router.ts'
import { call, makeOrigin, type Origin, until } from '../../../proxy/proxy-process.test.kit.ts'
import { findProgram } from '../../tools/find-program.ts'
import { createHaproxy, type HaproxyOptions } from './haproxy.ts'
import { type Ask, masterOf } from './master.ts'

/** Why these tests are skipped, or `null`. */
export const skipReason: string | null = findProgram('haproxy') === null ? 'haproxy is not installed' : null

export const SILENT: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

/** A real HAProxy in a folder of its own, with instances. */
export class Bench {
  readonly folder: string
  readonly ask: Ask
  readonly planes: DataPlane[] = []
  readonly origins: Origin[] = []
  readonly agent = new Agent({ keepAlive: true, maxSockets: 8 })
  plane: DataPlane

  constructor(folder: string) {
    this.folder = folder
    this.ask = masterOf(folder)
    this.plane = this.newPlane()
  }

  /** Another controller of the same folder. */
  newPlane(more: Partial<HaproxyOptions> = {}): DataPlane {
    const plane = createHaproxy({ folder: this.folder, log: SILENT, now: Date.now, ...more })
    this.planes.push(plane)
    return plane
  }

  async startInstance(
    name: string,
    serve?: Parameters<typeof makeOrigin>[0],
  ): Promise<RouteInstance & { origin: Origin }> {
    const origin = await makeOrigin(
      serve ??
        ((req, res) => {
          if (req.url !== '/hold') res.end(name)
        }),
    )
    this.origins.push(origin)
    return { id: `i-${origin.port}`, host: '127.0.0.1', port: origin.port, state: 'active', origin }
  }

  async state(service = 'shop'): Promise<RouterState> {
    return unwrap(await this.plane.router.readState(service))
  }

  async port(service = 'shop'): Promise<number> {
    return (await this.state(service)).listening?.port ?? 0
  }

  async send(count: number, port?: number): Promise<Record<string, number>> {
    const to = port ?? (await this.port())
    const served: Record<string, number> = {}
    for (let turn = 0; turn < count; turn += 1) {
      const { body } = await call({ port: to, agent: this.agent })
      served[body] = (served[body] ?? 0) + 1
    }
    return served
  }

  /** A request that its instance never answers; `ended` once it was cut. */
  async hold(): Promise<{ ended: Promise<void> }> {
    const seen = this.origins.reduce((sum, { seen }) => sum + seen.length, 0)
    const held = request({ port: await this.port(), path: '/hold', agent: false })
    const ended = new Promise<void>((resolve) => {
      held.on('response', (res) => {
        res.resume()
        resolve()
      })
      held.on('error', () => resolve())
    })
    held.end()
    await until(
      'the instance has it',
      () => this.origins.reduce((sum, { seen }) => sum + seen.length, 0) > seen,
    )
    return { ended }
  }

  async workerPid(): Promise<number> {
    const answer = unwrap(await this.ask('show proc'))
    return Number(/^(\d+)\s+worker/m.exec(answer)?.[1])
  }

  async masterPid(): Promise<number> {
    const answer = unwrap(await this.ask('show proc'))
    return Number(/^(\d+)\s+master/m.exec(answer)?.[1])
  }

  /** By hand, past the controller. */
  async byHand(command: string): Promise<string> {
    return unwrap(await this.ask(`@!${await this.workerPid()} ${command}`))
  }

  /** The session of whoever reads the log of the worker. */
  async logReader(): Promise<string> {
    const sessions = await this.byHand('show sess')
    return /^(0x\w+): proto=unix_stream .* fe=GLOBAL /m.exec(sessions)?.[1] ?? ''
  }

  async remove(): Promise<void> {
    this.agent.destroy()
    for (const plane of this.planes) await plane.close()
    const master = await this.ask('show proc')
    if (master.kind === 'ok') {
      const pid = Number(/^(\d+)\s+master/m.exec(master.value)?.[1])
      process.kill(pid, 'SIGTERM')
      await until('haproxy is gone', async () => (await this.ask('show proc')).kind === 'failed')
    }
    for (const origin of this.origins) await origin.close()
    await rm(this.folder, { recursive: true, force: true })
  }
}

export async function makeBench(): Promise<Bench> {
  return new Bench(await mkdtemp(join(tmpdir(), 'sluice-haproxy-')))
}

export function unwrap<T>(result: Result<T>): T {
  if (result.kind === 'failed')
    throw new Error(`${result.problem.code}: ${result.problem.message} ${result.problem.cause ?? ''}`)
  return result.value
}

export const codeOf = (result: Result<unknown>): string =>
  result.kind === 'failed' ? result.problem.code : 'no failure'
