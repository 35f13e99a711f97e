import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  call,
  makeProxy,
  type Origin,
  type ProxyProcess,
  routesOf,
  useOrigins,
} from './proxy-process.test.kit.ts'

const origin = useOrigins()
let proxy: ProxyProcess
let one: Origin
beforeEach(async () => {
  proxy = await makeProxy()
  one = await origin('v1')
})
afterEach(() => proxy.remove())

const closed = (sequence: number) =>
  routesOf([{ weight: 0, ports: [], draining: [one.port] }], sequence, { closed: { retryAfterS: 7 } })
const open = (sequence: number) => routesOf([{ ports: [one.port] }], sequence)

describe('a closed service', () => {
  it('tells everybody when to come back, counts them apart, and says that they are lost', async () => {
    const port = await proxy.setRoutes(open(1))
    await proxy.setRoutes(closed(2))
    const turned = await call({ port })
    expect([turned.status, turned.headers['retry-after'], turned.headers['sluice-error']]).toEqual([
      503,
      '7',
      'SERVICE_CLOSED',
    ])
    expect(JSON.parse(turned.body)).toMatchObject({
      code: 'SERVICE_CLOSED',
      remedy: 'Come back in 7 seconds.',
      retryable: true,
    })
    const upgrade = {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    }
    expect((await call({ port, headers: { ...upgrade, 'sec-websocket-version': '13' } })).status).toBe(503)
    await call({ port, headers: { 'sluice-probe': 'probe-secret' } })
    expect(await proxy.counts()).toMatchObject({ closed: 2, unroutable: 0 })
    await proxy.setRoutes(open(3))
    expect((await call({ port })).body).toBe('v1')
  })

  it('stays closed after a kill of the proxy', async () => {
    await proxy.setRoutes(open(1))
    await proxy.setRoutes(closed(2))
    proxy.kill('SIGKILL')
    await proxy.exit
    await proxy.start()
    expect((await proxy.state()).closed).toEqual({ retryAfterS: 7 })
    expect((await call({ port: await proxy.port() })).status).toBe(503)
  })
})
