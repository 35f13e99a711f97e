import { Agent } from 'node:http'
import { describe, expect, it } from 'vitest'
import { call, named, routesOf, until } from './proxy-process.test.kit.ts'
import { useSharedProxy } from './shared-proxy.test.kit.ts'

const proxy = useSharedProxy()

describe('probes', () => {
  it('are served and marked, never counted, and their key goes no further', async () => {
    const one = await proxy.origin(named('one'))
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const probe = await call({ port, headers: { 'sluice-probe': 'probe-secret' } })
    expect(probe.headers['sluice-release']).toBe('v1')
    expect((await proxy.total())?.requests).toBe(0)
    const stranger = await call({ port, headers: { 'sluice-probe': 'guess' } })
    expect(stranger.headers['sluice-release']).toBeUndefined()
    await until('counted', async () => (await proxy.total())?.requests === 1)
    for (const seen of one.seen) expect(seen.headers['sluice-probe']).toBeUndefined()
  })
})

describe('counts', () => {
  it('add up: every request once, by release, status, route class and latency', async () => {
    const [one, two] = [await proxy.origin(named('one')), await proxy.origin(named('two'))]
    const sets = [
      { release: 'v1', weight: 900, ports: [one.port] },
      { release: 'v2', weight: 100, ports: [two.port] },
    ]
    const port = await proxy.setRoutes(routesOf(sets, 1))
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    await Promise.all(
      Array.from({ length: 1_000 }, (_, at) => call({ port, agent, path: at % 2 === 0 ? '/cart/1' : '/17' })),
    )
    agent.destroy()
    const total = async () =>
      (await proxy.counts()).releases.reduce((sum, release) => sum + release.total.requests, 0)
    await until('all are counted', async () => (await total()) === 1_000)
    const { releases } = await proxy.counts()
    expect(releases.map(({ total }) => total.requests)).toEqual([900, 100])
    for (const { total, routes } of releases) {
      expect(total.status['2xx']).toBe(total.requests)
      expect(total.latencyBuckets.reduce((sum, count) => sum + count, 0)).toBe(total.requests)
      expect(Object.keys(routes).sort()).toEqual(['GET /*', 'GET /cart'])
    }
  })
})
