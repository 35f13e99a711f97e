import { Agent } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  call,
  makeProxy,
  type ProxyProcess,
  raw,
  routesOf,
  until,
  useOrigins,
} from './proxy-process.test.kit.ts'

describe('services at one address', () => {
  const origin = useOrigins()
  let proxy: ProxyProcess
  let sequence = 0
  beforeAll(async () => {
    proxy = await makeProxy()
  })
  afterAll(() => proxy?.remove())

  const set = (service: string, port: number, more: Parameters<typeof routesOf>[2]) => {
    sequence += 1
    return proxy.setRoutes({ ...routesOf([{ ports: [port] }], sequence, more), service })
  }
  const gone = (service: string) => {
    sequence += 1
    return proxy.control('DELETE', `/services/${service}?epoch=1&sequence=${sequence}`)
  }
  /** One service alone at a new address, then a second one for the paths below `/api`, then one for another host. */
  const three = async () => {
    const [one, two, three] = [await origin('one'), await origin('two'), await origin('three')]
    const port = await set('web', one.port, {})
    const listen = { host: '127.0.0.1', port }
    await set('api', two.port, { listen, paths: ['/api'] })
    await set('admin', three.port, { listen, hosts: ['admin.example.org', '[::1]'] })
    return { port, listen, one }
  }

  it('that move or end answer what comes on connections of before: nobody else is there', async () => {
    const [one, two] = [await origin('one'), await origin('two')]
    const port = await set('web', one.port, {})
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    expect((await call({ port, agent })).body).toBe('one')
    const next = await set('web', one.port, { listen: { host: '127.0.0.2', port: 0 } })
    const late = await call({ port, agent })
    expect([late.body, late.headers.connection]).toEqual(['one', 'close'])
    expect(next).not.toBe(port)
    await gone('web')

    const shared = await set('web', one.port, { hosts: ['a.org'] })
    await set('api', two.port, { listen: { host: '127.0.0.1', port: shared }, hosts: ['b.org'] })
    const ask = (host: string) => call({ port: shared, headers: { host }, agent })
    expect((await ask('b.org')).body).toBe('two')
    await gone('web')
    expect((await ask('a.org')).status).toBe(404)
    await gone('api')
    const last = await ask('b.org')
    expect([last.status, last.headers['sluice-error']]).toEqual([503, 'NO_INSTANCE'])
    agent.destroy()
  })

  it('each get their own requests, by host and path, on the same kept connection', async () => {
    const { port } = await three()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = async (host: string, path: string) =>
      (await call({ port, path, headers: { host }, agent })).body
    expect(await ask('any.org', '/')).toBe('one')
    expect(await ask('any.org', '/api/cart?x=1')).toBe('two')
    expect(await ask('any.org', '/apis')).toBe('one')
    expect(await ask('ADMIN.example.org.:8080', '/api')).toBe('three')
    expect(await ask('[::1]:80', '/')).toBe('three')
    agent.destroy()
    const absolute = await raw(
      port,
      'GET http://admin.example.org/x HTTP/1.1\r\nhost: admin.example.org\r\nconnection: close\r\n\r\n',
    )
    expect(absolute).toMatch(/200 OK[\s\S]*three/)
    const counted = async (service: string) => (await proxy.counts(service)).releases[0]?.total.requests ?? 0
    await until('all are counted', async () => (await counted('admin')) === 3)
    expect([await counted('web'), await counted('api')]).toEqual([2, 1])
    for (const service of ['web', 'api', 'admin']) await gone(service)
  })

  it('come and leave without a touch on what the others do', async () => {
    const { port, listen } = await three()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const slow = call({ port, path: '/slow', headers: { host: 'any.org' }, agent })
    await gone('api')
    expect((await slow).body).toBe('one')
    expect((await call({ port, path: '/api', headers: { host: 'any.org' }, agent })).body).toBe('one')
    await gone('web')
    // Nobody takes it: told on a connection that stays, and counted for nobody.
    for (let turn = 0; turn < 2; turn += 1) {
      const answer = await call({ port, path: '/', headers: { host: 'any.org' }, agent })
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([404, 'NO_SUCH_SERVICE'])
      expect(answer.headers.connection).not.toBe('close')
    }
    expect((await proxy.counts('admin')).refused).toBe(0)
    const back = await origin('back')
    await set('web', back.port, { listen })
    expect((await call({ port, path: '/', headers: { host: 'any.org' }, agent })).body).toBe('back')
    agent.destroy()
    for (const service of ['web', 'admin']) await gone(service)
  })

  it('never guess: no host, two hosts and another host in the address are refused', async () => {
    const { port } = await three()
    await gone('web')
    const sent = (lines: string) => raw(port, `${lines}\r\nconnection: close\r\n\r\n`)
    expect(await sent('GET / HTTP/1.1')).toMatch(/ 400 .*no Host/s)
    expect(await sent('GET / HTTP/1.1\r\nhost: admin.example.org\r\nhost: any.org')).toMatch(/ 400 /)
    expect(await sent('GET http://any.org/ HTTP/1.1\r\nhost: admin.example.org')).toMatch(/ 400 /)
    expect(await sent('GET / HTTP/1.0')).toMatch(/ 404 .*without a host/s)
    expect(await sent('POST / HTTP/1.1\r\nhost: any.org\r\ncontent-length: 5')).toMatch(/ 404 /)
    const upgrade = 'GET / HTTP/1.1\r\nhost: any.org\r\nupgrade: websocket\r\nsec-websocket-key: x'
    expect(await raw(port, `${upgrade}\r\nconnection: upgrade\r\n\r\n`)).toMatch(/ 404 .*NO_SUCH_SERVICE/s)
    for (const service of ['api', 'admin']) await gone(service)
  })

  it('close the address behind the last one, and change what they take without a new socket', async () => {
    const one = await origin('one')
    const port = await set('solo', one.port, { hosts: ['a.org'] })
    const listen = { host: '127.0.0.1', port: 0 }
    await set('solo', one.port, { listen, hosts: ['b.org'] })
    expect(await proxy.port('solo')).toBe(port)
    expect((await call({ port, headers: { host: 'b.org' } })).status).toBe(200)
    expect((await call({ port, headers: { host: 'a.org' } })).status).toBe(404)
    await gone('solo')
    await until('the port is free', async () =>
      call({ port }).then(
        () => false,
        () => true,
      ),
    )
  })
})
