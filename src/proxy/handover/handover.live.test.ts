import { Agent } from 'node:http'
import { request as secureRequest } from 'node:https'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { startLoad } from '../../testkit/load/load.ts'
import { startWebSockets } from '../../testkit/load/websockets.ts'
import {
  call,
  makeOrigin,
  makeProxy,
  type Origin,
  type ProxyProcess,
  routesOf,
  until,
  useOrigins,
} from '../proxy-process.test.kit.ts'
import { hasOpenssl, makeCertificate, WITHOUT_OPENSSL } from '../tls/certificates.test.kit.ts'

const origin = useOrigins()
let proxy: ProxyProcess
beforeEach(async () => {
  proxy = await makeProxy({ keepAliveMs: 1_500 })
})
afterEach(() => proxy.remove())

/** Answers with its name once it has read everything, `/held` when the test lets it, and WebSockets with what they say. */
async function worker(name: string): Promise<Origin & { letGo(): void }> {
  const held: (() => void)[] = []
  const made = await makeOrigin((req, res) => {
    req.resume()
    req.once('end', () => {
      if (req.url === '/held') held.push(() => res.end(name))
      else res.end(name)
    })
  })
  new WebSocketServer({ server: made.server }).on('connection', (socket) =>
    socket.on('message', (data) => socket.send(data.toString())),
  )
  const letGo = () => {
    for (const answer of held.splice(0)) answer()
  }
  return { ...made, letGo }
}

describe('a proxy that is upgraded under load', () => {
  it('loses nothing and counts everything once, several times in a row', async () => {
    // On a busy machine a client may stand still for seconds, and then sends on what a shorter time would have closed.
    await proxy.remove()
    proxy = await makeProxy({ keepAliveMs: 20_000 })
    const [one, two] = [await worker('one'), await worker('two')]
    const drain = { requestsMs: 20_000, websocketsMs: 1_000 }
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port, two.port] }], 1, { drain }))
    const { boot } = await proxy.livez()
    const url = `http://127.0.0.1:${port}`
    const sockets = startWebSockets({ url: `ws://127.0.0.1:${port}/live`, count: 20, intervalMs: 50 })
    await sockets.ready
    const load = startLoad({
      url,
      ratePerSecond: 120,
      connections: 'both',
      mix: [
        { method: 'GET', path: '/', share: 3 },
        { method: 'POST', path: '/upload', body: 'x'.repeat(20_000), share: 1 },
      ],
      slowShare: 0.5,
      slowUploadMs: 700,
      timeoutMs: 30_000,
    })
    const looks = lookAgainAndAgain()
    const pids = new Set([proxy.pid])
    for (let turn = 0; turn < 3; turn += 1) {
      expect((await proxy.upgrade()).status).toBe(200)
      pids.add((await proxy.livez()).pid)
    }
    const stats = await load.stop()
    await until('WebSockets of the first one are told to leave', () => sockets.stats().open === 0)
    expect(stats.lost).toEqual({ count: 0, byKind: {}, samples: [] })
    expect(stats.byStatus).toEqual({ 200: stats.sent })
    expect(pids.size).toBe(4)
    expect(await sockets.stop()).toMatchObject({ gracefulCloses: 20, unexpectedCloses: 0, wrongEchoes: 0 })
    // A WebSocket counts as one request, when it begins.
    await until('all that was sent is counted', async () => (await total()) === stats.sent + 20)
    const { seen, went } = await looks.stop()
    expect(went).toBe(0)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect((await proxy.counts()).boot).toBe(boot)
    expect(await proxy.exit).toBe(0)
    await until('only one is left', async () => (await proxy.livez()).leaving === 0)
    expect(await total()).toBe(stats.sent + 20)
    await Promise.all([one.close(), two.close()])
  })
})

const total = async () => (await proxy.counts()).releases[0]?.total.requests ?? 0

/** What a controller does: reads the counters; every look must succeed, and none may see less than the one before. */
function lookAgainAndAgain() {
  const seen: number[] = []
  let went = 0
  let isOver = false
  const loop = async () => {
    while (!isOver) {
      await total().then(
        (requests) => seen.push(requests),
        () => {
          went += 1
        },
      )
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const done = loop()
  return {
    async stop() {
      isOver = true
      await done
      return { seen, went }
    },
  }
}

describe('what the old one still does', () => {
  it('is known to the new one until it is over, so that no instance is stopped under it', async () => {
    const [one, two] = [await worker('one'), await worker('two')]
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const held = call({ port, path: '/held' })
    await until('it is under way', () => one.seen.length === 1)
    await proxy.upgrade()
    const first = async () => (await proxy.state()).instances.find(({ id }) => id === `i-${one.port}`)
    expect(await first()).toMatchObject({ inFlight: 1 })
    // The new version takes everything, and the old instance leaves the routes.
    await proxy.setRoutes(routesOf([{ release: 'v2', ports: [two.port] }], 2))
    expect(await first()).toMatchObject({ inFlight: 1, drain: { done: false } })
    expect((await call({ port })).body).toBe('two')
    one.letGo()
    expect((await held).body).toBe('one')
    await until('its drain is done', async () => (await first())?.drain?.done === true)
    expect(await proxy.exit).toBe(0)
    expect(await first()).toMatchObject({ inFlight: 0, drain: { done: true, cutTotal: 0 } })
    await one.close()
    await two.close()
  })

  it('follows every change of the routes, and its connections end with their next answer', async () => {
    await proxy.remove()
    // Clients close a silent connection a little before the server would.
    proxy = await makeProxy({ keepAliveMs: 30_000 })
    const [one, two] = [await origin('one'), await origin('two')]
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    expect((await call({ port, agent })).headers.connection).toBe('keep-alive')
    await proxy.upgrade()
    await proxy.setRoutes(routesOf([{ release: 'v2', ports: [two.port] }], 2))
    const answer = await call({ port, agent })
    expect([answer.body, answer.headers.connection]).toEqual(['two', 'close'])
    agent.destroy()
    expect(await proxy.exit).toBe(0)
    expect((await proxy.counts()).releases.map(({ release, total }) => [release, total.requests])).toEqual([
      ['v1', 1],
      ['v2', 1],
    ])
  })

  it('has the drain limit for each request, and names what it had to cut', async () => {
    const one = await worker('one')
    const drain = { requestsMs: 600, websocketsMs: 300 }
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1, { drain }))
    const held = call({ port, path: '/held' })
    await until('it is under way', () => one.seen.length === 1)
    await proxy.upgrade()
    expect(await held).toMatchObject({ status: 503, headers: { 'sluice-error': 'DRAIN_LIMIT' } })
    expect(await proxy.exit).toBe(0)
    expect((await proxy.counts()).releases[0]?.total).toMatchObject({ requests: 1, cutOnDrain: 1 })
    await one.close()
  })

  it('does not keep connections for ever that say nothing', async () => {
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const silent = connect(port, '127.0.0.1')
    await new Promise((resolve) => silent.once('connect', resolve))
    silent.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await new Promise((resolve) => silent.once('data', resolve))
    const closed = new Promise((resolve) => silent.once('close', resolve))
    await proxy.upgrade()
    await closed
    expect(await proxy.exit).toBe(0)
  })
})

describe.skipIf(!hasOpenssl)(`doors${hasOpenssl ? '' : ` (skipped: ${WITHOUT_OPENSSL})`}`, () => {
  it('with TLS, several hosts and a preview are handed over like others', async () => {
    const [one, two] = [await origin('one'), await origin('two')]
    const tls = makeCertificate(proxy.folder, 'shop', { names: ['shop.example.org', 'api.example.org'] })
    const routes = routesOf([{ ports: [one.port] }], 1, {
      tls,
      hosts: ['shop.example.org'],
      preview: { listen: { host: '127.0.0.1', port: 0 }, release: 'v1' },
    })
    const port = await proxy.setRoutes(routes)
    const listen = { host: '127.0.0.1', port }
    await proxy.setRoutes({ ...routes, listen, token: { ...routes.token, sequence: 2 } })
    await proxy.setRoutes({
      ...routesOf([{ ports: [two.port] }], 1, { tls, hosts: ['api.example.org'], listen }),
      service: 'api',
    })
    await until('the preview listens', async () => (await proxy.state()).preview?.listening !== null)
    const previewAt = (await proxy.state()).preview?.listening?.port ?? 0
    const bodies = async () => [
      await secure(port, 'shop.example.org'),
      await secure(port, 'api.example.org'),
      (await call({ port: previewAt })).body,
    ]
    expect(await bodies()).toEqual(['one', 'two', 'one'])
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await proxy.upgrade()).toMatchObject({ status: 200 })
      expect(await bodies()).toEqual(['one', 'two', 'one'])
    }
    expect(await proxy.state()).toMatchObject({
      listening: { port },
      preview: { listening: { port: previewAt }, problem: null },
      certificate: { problem: null },
    })
  })
})

const secure = (port: number, name: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      servername: name,
      headers: { host: name },
      rejectUnauthorized: false,
    }
    const req = secureRequest({ ...options, agent: false }, (res) => {
      res.setEncoding('utf8')
      res.once('data', resolve)
    })
    req.once('error', reject).end()
  })

it('a service that is changed all the time is changed through an upgrade, too', async () => {
  const one = await origin('one')
  let sequence = 1
  const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], sequence))
  let isOver = false
  const changes = (async () => {
    while (!isOver) {
      sequence += 1
      await proxy.setRoutes(routesOf([{ release: `v${sequence % 7}`, ports: [one.port] }], sequence))
    }
  })()
  for (let turn = 0; turn < 2; turn += 1) expect((await proxy.upgrade()).status).toBe(200)
  isOver = true
  await changes
  expect((await proxy.state()).token?.sequence).toBe(sequence)
  expect((await call({ port })).status).toBe(200)
})
