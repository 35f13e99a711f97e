import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { slowness } from '../testkit/slowness.test.kit.ts'
import {
  call,
  makeOrigin,
  makeProxy,
  type Origin,
  type ProxyProcess,
  routesOf,
  until,
  useOrigins,
} from './proxy-process.test.kit.ts'

const origin = useOrigins()
let proxy: ProxyProcess
beforeEach(async () => {
  proxy = await makeProxy()
})
afterEach(() => proxy.remove())

describe('crash safety', () => {
  it('is back with listener, routes and tokens within 2 s after kill -9', async () => {
    const [one, two] = [await origin('one'), await origin('two')]
    const sets = [
      { release: 'v1', weight: 0, ports: [one.port] },
      { release: 'v2', weight: 1_000, ports: [two.port] },
    ]
    const port = await proxy.setRoutes(routesOf(sets, 5))
    const { boot } = await proxy.state()
    proxy.kill('SIGKILL')
    await proxy.exit
    const began = performance.now()
    await proxy.start()
    expect((await call({ port })).body).toBe('two')
    expect(performance.now() - began).toBeLessThan(2_000 * slowness())
    expect((await proxy.state()).boot).not.toBe(boot)
    expect((await proxy.control('PUT', '/services/shop/routes', routesOf(sets, 4))).body).toMatchObject({
      code: 'STALE_TOKEN',
    })
    expect((await proxy.control('PUT', '/services/shop/routes', routesOf(sets, 5))).status).toBe(200)
  })

  it('remembers the highest token of a finalized service after kill -9', async () => {
    await proxy.setRoutes(routesOf([], 5))
    await proxy.control('DELETE', '/services/shop?epoch=1&sequence=6')
    proxy.kill('SIGKILL')
    await proxy.exit
    await proxy.start()
    expect((await proxy.control('PUT', '/services/shop/routes', routesOf([], 5))).body).toMatchObject({
      code: 'STALE_TOKEN',
    })
  })

  it('moves a damaged file aside, starts empty and says so', async () => {
    await proxy.setRoutes(routesOf([], 1))
    proxy.kill('SIGKILL')
    await proxy.exit
    await writeFile(join(proxy.folder, 'routes.json'), '{"schema":1,"services":{"shop"')
    await proxy.start()
    expect((await proxy.control('GET', '/livez')).body).toMatchObject({
      damaged: expect.stringContaining('routes.json.damaged-'),
    })
    expect((await proxy.state()).token).toBeNull()
    expect((await readdir(proxy.folder)).some((name) => name.startsWith('routes.json.damaged-'))).toBe(true)
    await until('it was said', () => proxy.stderr.includes('routes.json is damaged'))
  })

  it('keeps trying for a port that is taken when it comes back', async () => {
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    proxy.kill('SIGKILL')
    await proxy.exit
    const squatter = await makeOrigin()
    await squatter.close()
    const blocker = await new Promise<Origin['server']>((resolve) =>
      squatter.server.listen(port, '127.0.0.1', () => resolve(squatter.server)),
    )
    await proxy.start()
    expect((await proxy.state()).listening).toBeNull()
    blocker.close()
    await until('listening again', async () => (await proxy.state()).listening?.port === port)
    expect((await call({ port })).body).toBe('one')
  })
})

describe('lost controller', () => {
  const policy = { kind: 'revert', afterMs: 700 } as const
  const sets = (one: Origin, two: Origin) => [
    { release: 'v1', weight: 500, ports: [one.port] },
    { release: 'v2', weight: 500, ports: [two.port] },
  ]

  it('returns to stable when nobody speaks, keeps the mark over kill -9, and obeys the next change', async () => {
    const [one, two] = [await origin('one'), await origin('two')]
    const port = await proxy.setRoutes(routesOf(sets(one, two), 1))
    const bodies = async () =>
      new Set(await Promise.all(Array.from({ length: 40 }, async () => (await call({ port })).body)))
    expect((await bodies()).size).toBe(2)
    await proxy.setRoutes(routesOf(sets(one, two), 2, { onControllerLoss: policy }))
    await until('reverted', async () => (await bodies()).size === 1)
    const { reverted, sets: inForce } = await proxy.state()
    expect(reverted?.fromWeights).toEqual({ v1: 500, v2: 500 })
    expect(inForce.map((set) => set.weightPermille)).toEqual([1_000, 0])
    proxy.kill('SIGKILL')
    await proxy.exit
    await proxy.start()
    expect((await proxy.state()).reverted).toEqual(reverted)
    await proxy.setRoutes(routesOf(sets(one, two), 3))
    expect((await proxy.state()).reverted).toBeNull()
    expect((await bodies()).size).toBe(2)
  })

  it('holds while somebody speaks', async () => {
    const [one, two] = [await origin('one'), await origin('two')]
    let sequence = 0
    await until('nobody was silent for long', async () => {
      sequence += 1
      await proxy.setRoutes(routesOf(sets(one, two), sequence, { onControllerLoss: policy }))
      const silenceMs = await longestSilence({ forMs: 2 * policy.afterMs })
      const { reverted } = await proxy.state()
      // On a machine that stood still meanwhile this says nothing: once more.
      if (silenceMs > policy.afterMs / 2) return false
      expect(reverted).toBeNull()
      return true
    })
  })

  /** Speaks all the time, and tells how long it was silent at most. */
  async function longestSilence({ forMs }: { forMs: number }): Promise<number> {
    const begunAt = performance.now()
    let [spokeAt, longest] = [begunAt, 0]
    while (performance.now() < begunAt + forMs) {
      await proxy.control('POST', '/heartbeat')
      longest = Math.max(longest, performance.now() - spokeAt)
      spokeAt = performance.now()
    }
    return longest
  }
})
