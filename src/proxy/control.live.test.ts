import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  call,
  connectFails,
  makeProxy,
  ProxyProcess,
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

describe('control surface', () => {
  it('is closed to others: folder 0700, socket 0600', async () => {
    expect((await stat(proxy.folder)).mode & 0o777).toBe(0o700)
    expect((await stat(proxy.socket)).mode & 0o777).toBe(0o600)
    expect(await readFile(join(proxy.folder, 'proxy.pid'), 'utf8')).toBe(`${proxy.pid}\n`)
  })

  it('answers what it does not know or understand with a problem', async () => {
    expect((await proxy.control('GET', '/services/nobody/counts')).status).toBe(404)
    expect((await proxy.control('GET', '/nothing')).status).toBe(404)
    expect((await proxy.control('PUT', '/services/shop/routes', { service: 'shop' })).status).toBe(400)
    const wrong = await proxy.control('PUT', '/services/other/routes', routesOf([], 1))
    expect(wrong.body).toMatchObject({ code: 'ROUTES_INVALID', retryable: false })
    expect((await proxy.control('DELETE', '/services/shop')).status).toBe(400)
  })

  it('refuses weights without capacity and weights that do not add up', async () => {
    const half = routesOf([{ weight: 500, ports: [1] }], 1)
    const empty = routesOf([{ weight: 1_000, ports: [], draining: [1] }], 1)
    for (const routes of [half, empty])
      expect((await proxy.control('PUT', '/services/shop/routes', routes)).status).toBe(400)
  })

  it('names the address and the reason when a port is taken, and changes nothing', async () => {
    const taken = await origin('taken')
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const moved = routesOf([{ ports: [taken.port] }], 2, { listen: { host: '127.0.0.1', port: taken.port } })
    const refused = await proxy.control('PUT', '/services/shop/routes', moved)
    expect(refused.status).toBe(409)
    expect(refused.body).toMatchObject({
      code: 'LISTEN_FAILED',
      message: `Cannot listen on 127.0.0.1:${taken.port}: EADDRINUSE.`,
    })
    expect((await proxy.state()).token?.sequence).toBe(1)
    expect((await call({ port })).body).toBe('one')
  })

  it('moves to another address: the new one answers, the old one closes', async () => {
    const one = await origin('one')
    const before = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const after = await proxy.setRoutes(
      routesOf([{ ports: [one.port] }], 2, { listen: { host: '127.0.0.2', port: 0 } }),
    )
    expect((await proxy.state()).listening?.host).toBe('127.0.0.2')
    await until('the old one is closed', () => connectFails(before))
    expect(after).toBeGreaterThan(0)
  })

  it('answers 503 with a problem while a service has no sets, and counts it as unroutable', async () => {
    const port = await proxy.setRoutes(routesOf([], 1))
    const answer = await call({ port })
    const { 'retry-after': retryAfter, 'sluice-error': lost } = answer.headers
    expect([answer.status, retryAfter, lost, JSON.parse(answer.body).code]).toEqual([
      503,
      '1',
      'NO_INSTANCE',
      'NO_INSTANCE',
    ])
    await until('counted', async () => (await proxy.counts()).unroutable === 1)
  })

  it('leaves nothing after finalize: the port is free again', async () => {
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    expect((await proxy.control('DELETE', '/services/shop?epoch=1&sequence=2')).status).toBe(200)
    await until('the port is free', () => connectFails(port))
    expect((await proxy.control('GET', '/services/shop/counts')).status).toBe(404)
  })

  it('lets only one process own a folder', async () => {
    const second = new ProxyProcess(proxy.folder, [])
    second.start().catch(() => undefined)
    expect(await second.exit).not.toBe(0)
    await until('the reason', () => second.stderr.includes('PROXY_FOLDER_OWNED'))
    expect((await proxy.control('GET', '/livez')).status).toBe(200)
  })
})
