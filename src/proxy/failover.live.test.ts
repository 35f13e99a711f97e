import { Agent } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import {
  call,
  makeOrigin,
  makeProxy,
  type Origin,
  type ProxyProcess,
  routesOf,
} from './proxy-process.test.kit.ts'

let proxy: ProxyProcess
let stable: Origin
beforeEach(async () => {
  proxy = await makeProxy()
  stable = await makeOrigin((req, res) => void req.pipe(res))
})
afterEach(async () => {
  await proxy.remove()
  await stable.close()
})

/** Nobody listens there, and nobody is given them: a port that was free a moment ago may be somebody's now. */
const DEAD_PORTS = [1, 2, 3, 4] as const
const deadPorts = (count: number): number[] => DEAD_PORTS.slice(0, count)
const candidate = async () => (await proxy.counts()).releases.find(({ release }) => release === 'v2')?.total

/** Status of a WebSocket handshake that fails. */
const handshake = (port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
    socket.on('unexpected-response', (_, res) => resolve(res.statusCode ?? 0))
    socket.on('error', reject)
  })

describe('a version of which no instance accepts a connection', () => {
  it('counts each request as one error of its own, after one try at every active instance', async () => {
    const sets = [
      { release: 'v1', weight: 0, ports: [stable.port] },
      { release: 'v2', weight: 1_000, ports: deadPorts(3), draining: [DEAD_PORTS[3]] },
    ]
    const port = await proxy.setRoutes(routesOf(sets, 1))
    const calls = [
      call({ port }),
      call({ port, method: 'POST', body: 'order' }),
      call({ port, method: 'POST', body: 'order', headers: { expect: '100-continue' } }),
    ]
    const answers = await Promise.all(calls)
    expect(answers.map(({ status, body }) => [status, JSON.parse(body).code])).toEqual(
      calls.map(() => [502, 'INSTANCE_UNREACHABLE']),
    )
    expect(await handshake(port)).toBe(502)
    expect(await candidate()).toMatchObject({ requests: 4, errors: 4, connectFailures: 12, retries: 8 })
    expect((await candidate())?.status['5xx']).toBe(4)
    expect((await proxy.counts()).unroutable).toBe(4)
    expect(stable.seen).toHaveLength(0)
  })

  it('never spills over to the other version, so that shares and error rates stay true', async () => {
    const sets = [
      { release: 'v1', weight: 900, ports: [stable.port] },
      { release: 'v2', weight: 100, ports: deadPorts(2) },
    ]
    const port = await proxy.setRoutes(routesOf(sets, 1))
    const agent = new Agent({ keepAlive: true })
    let failures = 0
    for (let turn = 0; turn < 1_000; turn += 1)
      if ((await call({ port, agent })).status === 502) failures += 1
    agent.destroy()
    expect([failures, stable.seen.length]).toEqual([100, 900])
    expect(await candidate()).toMatchObject({ requests: 100, errors: 100 })
    const totals = (await proxy.counts()).releases.find(({ release }) => release === 'v1')?.total
    expect(totals).toMatchObject({ requests: 900, errors: 0, connectFailures: 0 })
  })
})

it('finds the one instance that is left among many that are gone, warming up or not', async () => {
  const dead = deadPorts(4)
  await proxy.setRoutes(routesOf([{ ports: dead }], 1, { slowStartMs: 3_600_000 }))
  const ports = [...dead, stable.port]
  const port = await proxy.setRoutes(routesOf([{ ports }], 2, { slowStartMs: 3_600_000 }))
  for (let turn = 0; turn < 20; turn += 1)
    expect(await call({ port, method: 'POST', body: 'x' })).toMatchObject({ status: 200, body: 'x' })
  const total = (await proxy.counts()).releases[0]?.total
  expect(total).toMatchObject({ requests: 20, errors: 0 })
  expect(total?.connectFailures).toBe(total?.retries)
})
