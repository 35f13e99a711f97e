import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, unlinkSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { TlsFiles } from '../../core/shared/entry.ts'
import {
  type Answer,
  makeOrigin,
  makeProxy,
  named,
  type Origin,
  type ProxyProcess,
  raw,
  routesOf,
  until,
  useOrigins,
} from '../proxy-process.test.kit.ts'
import { hasOpenssl, makeCertificate, replaceCertificate, WITHOUT_OPENSSL } from './certificates.test.kit.ts'

type Asked = { port: number; name?: string; host?: string; path?: string; agent?: Agent; body?: Buffer }

/** A client that believes nobody but the certificate it is told. */
function ask({
  port,
  name,
  host = name,
  path = '/',
  agent,
  body,
}: Asked): Promise<Answer & { shown: string; reused: boolean }> {
  return new Promise((resolve, reject) => {
    const req = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          ...(host === undefined ? {} : { host }),
          ...(body === undefined ? {} : { 'content-length': body.length }),
        },
        ...(name === undefined ? {} : { servername: name }),
        rejectUnauthorized: false,
        agent: agent ?? false,
      },
      (res) => {
        const shown = shownTo(res.socket)
        const chunks: Buffer[] = []
        res.on('data', (chunk: Buffer) => chunks.push(chunk))
        res.on('error', reject)
        res.on('end', () => {
          const body = Buffer.concat(chunks).toString('utf8')
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            body,
            trailers: res.trailers,
            shown,
            reused: req.reusedSocket,
          })
        })
      },
    )
    req.on('error', reject)
    req.end(body)
  })
}

/** Names of the certificate that a client got. */
function shownTo(socket: unknown): string {
  const secure = socket as TLSSocket
  return secure.getPeerX509Certificate()?.subjectAltName ?? ''
}

describe.skipIf(!hasOpenssl)(`TLS${hasOpenssl ? '' : ` (skipped: ${WITHOUT_OPENSSL})`}`, () => {
  const origin = useOrigins()
  let folder: string
  let shop: TlsFiles
  let api: TlsFiles
  let proxy: ProxyProcess
  let sequence = 0
  let agents: Agent[] = []
  const agentOf = () => {
    const made = new Agent({ keepAlive: true, maxSockets: 1 })
    agents.push(made)
    return made
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'))
    shop = makeCertificate(folder, 'shop', { names: ['shop.example.org', '*.shop.example.org'] })
    api = makeCertificate(folder, 'api', { names: ['api.example.org'] })
    proxy = await makeProxy({ handshakeTimeoutMs: 2_500 })
  })
  afterEach(() => {
    for (const agent of agents) agent.destroy()
    agents = []
  })
  afterAll(async () => {
    await proxy?.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  const set = (service: string, port: number, more: Parameters<typeof routesOf>[2]) => {
    sequence += 1
    return proxy.setRoutes({ ...routesOf([{ ports: [port] }], sequence, more), service })
  }
  const gone = (service: string) => {
    sequence += 1
    return proxy.control('DELETE', `/services/${service}?epoch=1&sequence=${sequence}`)
  }

  it('ends TLS and says so to the instance, whatever the client claims', async () => {
    const made: Origin = await makeOrigin((req, res) => {
      req.resume().on('end', () => res.end('ok'))
    })
    const port = await set('one', made.port, { tls: shop })
    const answer = await ask({ port, name: 'shop.example.org', agent: agentOf() })
    expect([answer.status, answer.body]).toEqual([200, 'ok'])
    expect(made.seen[0]?.headers).toMatchObject({ 'x-forwarded-proto': 'https', host: 'shop.example.org' })
    expect(made.seen[0]?.headers.forwarded).toContain('proto=https')
    // A client that names no host gets the certificate too: that of the first service.
    expect((await ask({ port, host: `127.0.0.1:${port}` })).shown).toContain('shop.example.org')
    const big = Buffer.alloc(3_000_000, 7)
    expect((await ask({ port, name: 'shop.example.org', path: '/up', body: big })).status).toBe(200)
    await until(
      'all is counted',
      async () => ((await proxy.counts('one')).releases[0]?.total.requests ?? 0) === 3,
    )
    expect((await proxy.counts('one')).releases[0]?.total).toMatchObject({ requests: 3, bytesIn: big.length })
    expect((await proxy.state('one')).certificate).toMatchObject({
      names: ['shop.example.org', '*.shop.example.org'],
      problem: null,
    })
    await gone('one')
    await made.close()
  })

  it('carries WebSockets', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data}`)))
    const address = server.address()
    const port = await set('sockets', typeof address === 'object' ? (address?.port ?? 0) : 0, { tls: shop })
    const client = new WebSocket(`wss://127.0.0.1:${port}/`, { rejectUnauthorized: false })
    const echoed = await new Promise((resolve, reject) => {
      client.on('open', () => client.send('hello'))
      client.on('message', (data) => resolve(String(data)))
      client.on('error', reject)
    })
    expect(echoed).toBe('echo hello')
    client.close()
    await gone('sockets')
    server.close()
  })

  it('tells services at one address apart by name, and leaves the others alone when one comes or goes', async () => {
    const [one, two] = [await origin('one'), await origin('two')]
    const port = await set('shop', one.port, { tls: shop, hosts: ['shop.example.org', '*.shop.example.org'] })
    const agent = agentOf()
    await ask({ port, name: 'shop.example.org', agent })
    const listen = { host: '127.0.0.1', port }
    await set('shop', one.port, { listen, tls: shop, hosts: ['shop.example.org', '*.shop.example.org'] })
    await set('api', two.port, { listen, tls: api, hosts: ['api.example.org'] })
    const kept = await ask({ port, name: 'shop.example.org', agent })
    expect([kept.body, kept.reused]).toEqual(['one', true])
    expect(await ask({ port, name: 'api.example.org' })).toMatchObject({
      body: 'two',
      shown: 'DNS:api.example.org',
    })
    expect((await ask({ port, name: 'de.shop.example.org' })).body).toBe('one')
    const misdirected = await ask({ port, name: 'shop.example.org', host: 'api.example.org' })
    expect([misdirected.status, JSON.parse(misdirected.body).code]).toEqual([421, 'HOST_MISDIRECTED'])
    // The certificate that was shown is good for this name, so nobody is misled.
    expect((await ask({ port, name: 'shop.example.org', host: 'de.shop.example.org' })).body).toBe('one')
    const nobody = await ask({ port, name: 'shop.example.org', host: 'else.example.org' })
    expect([nobody.status, JSON.parse(nobody.body).code]).toEqual([404, 'NO_SUCH_SERVICE'])
    await gone('api')
    expect(await ask({ port, name: 'shop.example.org', agent })).toMatchObject({ body: 'one', reused: true })
    expect((await ask({ port, name: 'api.example.org' })).status).toBe(404)
    const { releases, refused } = await proxy.counts('shop')
    expect([releases[0]?.total.errors, refused]).toEqual([0, 0])
    await gone('shop')
  })

  it('takes over a renewed certificate without a lost connection, and never half of it', async () => {
    const one = await origin('one')
    const names = ['live.example.org']
    const live = makeCertificate(folder, 'live', { names })
    const port = await set('live', one.port, { tls: live, hosts: names })
    const agent = agentOf()
    const before = await ask({ port, name: 'live.example.org', agent })
    // Only one of the two files is new: the pair from before stays, and it is told.
    const next = makeCertificate(folder, 'next', { names: [...names, 'new.example.org'] })
    const [oldCertificate, oldKey] = [readFileSync(live.certificate), readFileSync(live.key)]
    copyFileSync(next.certificate, live.certificate)
    await until(
      'the half pair is told',
      async () => (await proxy.state('live')).certificate?.problem?.code === 'TLS_KEY_MISMATCH',
    )
    expect((await ask({ port, name: 'live.example.org' })).shown).toBe(before.shown)
    replaceCertificate(live, next)
    await until('the new one is shown', async () =>
      (await ask({ port, name: 'live.example.org' })).shown.includes('new.'),
    )
    expect((await proxy.state('live')).certificate?.problem).toBeNull()
    expect((await ask({ port, name: 'live.example.org', agent })).reused).toBe(true)
    expect(proxy.stderr.match(/certificate not taken over/g)).toHaveLength(1)
    expect(proxy.stderr.includes(String(oldKey).split('\n')[1] ?? '?')).toBe(false)
    expect(oldCertificate.length).toBeGreaterThan(0)
    // A way back, or a change of weights, needs no file.
    unlinkSync(live.key)
    await set('live', one.port, { tls: live, hosts: names })
    expect((await ask({ port: await proxy.port('live'), name: 'live.example.org' })).status).toBe(200)
    await gone('live')
  }, 30_000)

  it('refuses routes whose certificate cannot serve, and nothing changes', async () => {
    const one = await origin('one')
    const refusalOf = async (more: Parameters<typeof routesOf>[2]) =>
      set('bad', one.port, more).then(
        () => 'taken',
        (error: Error) => JSON.parse(error.message).code,
      )
    expect(await refusalOf({ tls: { ...shop, key: api.key } })).toBe('TLS_KEY_MISMATCH')
    expect(await refusalOf({ tls: { ...shop, key: '/nowhere.key' } })).toBe('TLS_FILE_MISSING')
    expect(await refusalOf({ tls: shop, hosts: ['api.example.org'] })).toBe('CERTIFICATE_WRONG_NAME')
    const port = await set('plain', one.port, { hosts: ['a.org'] })
    const listen = { host: '127.0.0.1', port }
    await set('plain', one.port, { hosts: ['a.org'], listen })
    expect(await refusalOf({ listen, tls: shop, hosts: ['shop.example.org'] })).toBe('TLS_CHANGED_IN_PLACE')
    expect(await refusalOf({ listen, hosts: ['a.org'] })).toBe('ENTRY_TAKEN')
    expect((await proxy.state('bad')).token).toBeNull()
    await gone('plain')
  })

  it('tells plain HTTP that TLS is spoken here, and lets nobody hold half a handshake', async () => {
    const one = await origin('one')
    const port = await set('strict', one.port, { tls: shop })
    const answer = await raw(port, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1.1 400 .*TLS_EXPECTED/s)
    for (const bytes of ['', '\x16\x03\x01', '\x16\x03\x01\x00\x05garbage'])
      await new Promise<void>((resolve) => {
        const socket = connectPlain(port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')))
        socket.resume()
        socket.on('error', () => undefined)
        socket.on('close', () => resolve())
      })
    const old = await new Promise((resolve) => {
      const socket = connect({
        port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        maxVersion: 'TLSv1.1',
        minVersion: 'TLSv1',
      })
      socket.on('secureConnect', () => resolve('TLS 1.1'))
      socket.on('error', () => resolve('refused'))
    })
    expect(old).toBe('refused')
    const spoken = await new Promise((resolve, reject) => {
      const socket = connect({
        port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ALPNProtocols: ['h2', 'http/1.1'],
      })
      socket.on('secureConnect', () => {
        resolve([socket.alpnProtocol, socket.getProtocol()])
        socket.destroy()
      })
      socket.on('error', reject)
    })
    expect(spoken).toEqual(['http/1.1', 'TLSv1.3'])
    expect((await proxy.counts('strict')).releases[0]?.total.requests ?? 0).toBe(0)
    await gone('strict')
  })

  it('is back after kill -9, with two services at one address', async () => {
    const own = await makeProxy()
    const [one, two] = [await makeOrigin(named('one')), await makeOrigin(named('two'))]
    const put = (service: string, port: number, at: number, more: Parameters<typeof routesOf>[2]) =>
      own.setRoutes({ ...routesOf([{ ports: [port] }], at, more), service })
    const port = await put('shop', one.port, 1, { tls: shop, hosts: ['shop.example.org'] })
    const listen = { host: '127.0.0.1', port }
    await put('shop', one.port, 2, { listen, tls: shop, hosts: ['shop.example.org'] })
    await put('api', two.port, 1, { listen, tls: api, hosts: ['api.example.org'] })
    own.kill('SIGKILL')
    await own.exit
    await own.start()
    expect((await ask({ port, name: 'shop.example.org' })).body).toBe('one')
    expect((await ask({ port, name: 'api.example.org' })).body).toBe('two')
    expect(readFileSync(join(own.folder, 'routes.json'), 'utf8')).not.toContain('PRIVATE')
    await own.remove()
    await Promise.all([one.close(), two.close()])
  })
})
