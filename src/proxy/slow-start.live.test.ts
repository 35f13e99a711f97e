import { Agent } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  call,
  makeOrigin,
  makeProxy,
  type Origin,
  type ProxyProcess,
  routesOf,
  until,
} from './proxy-process.test.kit.ts'

const HOUR_MS = 3_600_000

let proxy: ProxyProcess
let origins: Origin[] = []
let agent: Agent

beforeEach(async () => {
  proxy = await makeProxy()
  agent = new Agent({ keepAlive: true })
  origins = await Promise.all([makeOrigin(), makeOrigin(), makeOrigin()])
})
afterEach(async () => {
  agent.destroy()
  await proxy.remove()
  for (const made of origins) await made.close()
})

/** How many of these requests each origin got. */
async function shares(port: number, requests: number): Promise<number[]> {
  for (const made of origins) made.seen.length = 0
  for (let turn = 0; turn < requests; turn += 1) expect((await call({ port, agent })).status).toBe(200)
  return origins.map(({ seen }) => seen.length)
}
const ports = (count: number): number[] => origins.slice(0, count).map(({ port }) => port)

describe('slow start', () => {
  it('gives an instance that joins a trickle; a proxy that was killed takes it for warm', async () => {
    await proxy.setRoutes(routesOf([{ ports: ports(1) }], 1, { slowStartMs: HOUR_MS }))
    const port = await proxy.setRoutes(routesOf([{ ports: ports(2) }], 2, { slowStartMs: HOUR_MS }))
    expect((await shares(port, 100))[1]).toBeLessThan(15)
    proxy.kill('SIGKILL')
    await proxy.exit
    await proxy.start()
    expect(await shares(await proxy.port(), 20)).toEqual([10, 10, 0])
  })

  it('ends with equal shares', async () => {
    await proxy.setRoutes(routesOf([{ ports: ports(1) }], 1, { slowStartMs: 300 }))
    const port = await proxy.setRoutes(routesOf([{ ports: ports(2) }], 2, { slowStartMs: 300 }))
    await until('equal shares', async () => (await shares(port, 20)).join() === '10,10,0')
  })

  it('leaves the split between versions exact', async () => {
    const sets = (count: number) => [
      { release: 'v1', weight: 900, ports: ports(count) },
      { release: 'v2', weight: 100, ports: [origins[2]?.port ?? 0] },
    ]
    const port = await proxy.setRoutes(routesOf(sets(1), 1, { slowStartMs: HOUR_MS }))
    await proxy.setRoutes(routesOf(sets(2), 2, { slowStartMs: HOUR_MS }))
    const [full = 0, cold = 0, other] = await shares(port, 1_000)
    expect([full + cold, other]).toEqual([900, 100])
    expect(cold).toBeLessThan(60)
  })

  it('is off in routes that do not name it, as an earlier version wrote them', async () => {
    const { slowStartMs: _, ...routes } = routesOf([{ ports: ports(1) }], 1)
    const { slowStartMs: __, ...more } = routesOf([{ ports: ports(2) }], 2)
    for (const one of [routes, more])
      expect((await proxy.control('PUT', '/services/shop/routes', one)).status).toBe(200)
    expect(await shares(await proxy.port(), 20)).toEqual([10, 10, 0])
  })
})
