import { afterEach, beforeEach, expect, it } from 'vitest'
import { expectOneServes } from '../../src/proxy/handover/one-serves.test.kit.ts'
import {
  dies,
  makeProxy,
  type ProxyProcess,
  routesOf,
  until,
  useOrigins,
} from '../../src/proxy/proxy-process.test.kit.ts'

// Each step of an upgrade of the proxy, and the death of one or both at that moment: one serves, and nothing that must
// last is lost.

const origin = useOrigins()
let proxy: ProxyProcess
let port: number
let oldPid: number
beforeEach(async () => {
  proxy = await makeProxy({ keepAliveMs: 500 })
  port = await proxy.setRoutes(routesOf([{ ports: [(await origin('one')).port] }], 1))
  oldPid = proxy.pid
})
afterEach(() => proxy.remove())

const thenAnotherUpgrade = async () => {
  expect((await proxy.upgrade()).status).toBe(200)
  await expectOneServes(proxy, port, 3)
}

it.each(['says here', 'hears begin', 'says prepared', 'hears take', 'says serving'])(
  'the new proxy dies when it %s: the old one serves on',
  async (moment) => {
    const answer = await proxy.upgrade(dies(moment, 'heir'))
    expect(answer).toMatchObject({ status: 409, body: { code: 'PROXY_UPGRADE_FAILED' } })
    expect(await expectOneServes(proxy, port, 2)).toBe(oldPid)
    await thenAnotherUpgrade()
  },
)

it('the new proxy dies right after it took over: another one can begin at once', async () => {
  await proxy.upgrade(dies('hears released', 'heir'))
  await until('nobody answers', async () => (await proxy.livez().catch(() => null)) === null)
  await proxy.start()
  await expectOneServes(proxy, port, 2)
})

it.each(['hears begin', 'says prepared', 'hears take', 'says serving', 'hears released'])(
  'the old proxy dies when the new one %s: the new one serves',
  async (moment) => {
    await proxy.upgrade(dies(moment, 'elder')).catch(() => undefined)
    await proxy.exit
    expect(await expectOneServes(proxy, port, 2)).not.toBe(oldPid)
    await thenAnotherUpgrade()
  },
)

it.each(['hears begin', 'says prepared', 'says serving', 'hears released'])(
  'the power fails when the new proxy %s: the next one finds what it needs',
  async (moment) => {
    await proxy.upgrade(dies(moment, 'both')).catch(() => undefined)
    await proxy.exit
    await proxy.start()
    await expectOneServes(proxy, port, 2)
  },
)
