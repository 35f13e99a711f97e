import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import {
  call,
  makeOrigin,
  makeProxy,
  type Origin,
  ProxyProcess,
  raw,
  routesOf,
  until,
} from './proxy-process.test.kit.ts'

let proxy: ProxyProcess
const origins: Origin[] = []

async function origin(name: string): Promise<Origin> {
  const made = await makeOrigin((req, res) => {
    if (req.url === '/events') {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write('data: 1\n\n')
    } else if (req.url === '/slow') setTimeout(() => res.end(name), 600)
    else if (req.url !== '/never') res.end(name)
  })
  origins.push(made)
  return made
}

beforeEach(async () => {
  proxy = await makeProxy({ idleGraceMs: 300 })
})
afterEach(async () => {
  await proxy.remove()
  for (const made of origins.splice(0)) await made.close()
})

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
    await expect(call({ port: before })).rejects.toThrow()
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
    expect((await proxy.counts()).unroutable).toBe(1)
  })

  it('leaves nothing after finalize: the port is free again', async () => {
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    expect((await proxy.control('DELETE', '/services/shop?epoch=1&sequence=2')).status).toBe(200)
    await expect(call({ port })).rejects.toThrow()
    expect((await proxy.control('GET', '/services/shop/counts')).status).toBe(404)
  })

  it('lets only one process own a folder', async () => {
    const second = new ProxyProcess(proxy.folder, [])
    second.start().catch(() => undefined)
    expect(await second.exit).not.toBe(0)
    expect(second.stderr).toContain('PROXY_FOLDER_OWNED')
    expect((await proxy.control('GET', '/livez')).status).toBe(200)
  })
})

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
    expect(performance.now() - began).toBeLessThan(2_000)
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
    expect(proxy.stderr).toContain('routes.json is damaged')
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

describe('probes', () => {
  it('are served and marked, never counted, and their key goes no further', async () => {
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const probe = await call({ port, headers: { 'sluice-probe': 'probe-secret' } })
    expect(probe.headers['sluice-release']).toBe('v1')
    expect((await proxy.counts()).releases[0]?.total.requests).toBe(0)
    const stranger = await call({ port, headers: { 'sluice-probe': 'guess' } })
    expect(stranger.headers['sluice-release']).toBeUndefined()
    expect((await proxy.counts()).releases[0]?.total.requests).toBe(1)
    for (const seen of one.seen) expect(seen.headers['sluice-probe']).toBeUndefined()
  })
})

describe('counts', () => {
  it('add up: every request once, by release, status, route class and latency', async () => {
    const [one, two] = [await origin('one'), await origin('two')]
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
    const { releases } = await proxy.counts()
    expect(releases.map(({ total }) => total.requests)).toEqual([900, 100])
    for (const { total, routes } of releases) {
      expect(total.status['2xx']).toBe(total.requests)
      expect(total.latencyBuckets.reduce((sum, count) => sum + count, 0)).toBe(total.requests)
      expect(Object.keys(routes).sort()).toEqual(['GET /*', 'GET /cart'])
    }
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
    const port = await proxy.setRoutes(routesOf(sets(one, two), 1, { onControllerLoss: policy }))
    const bodies = async () =>
      new Set(await Promise.all(Array.from({ length: 40 }, async () => (await call({ port })).body)))
    expect((await bodies()).size).toBe(2)
    await until('reverted', async () => (await bodies()).size === 1)
    const { reverted, sets: inForce } = await proxy.state()
    expect(reverted?.fromWeights).toEqual({ v1: 500, v2: 500 })
    expect(inForce.map((set) => set.weightPermille)).toEqual([1_000, 0])
    proxy.kill('SIGKILL')
    await proxy.exit
    await proxy.start()
    expect((await proxy.state()).reverted).toEqual(reverted)
    await proxy.setRoutes(routesOf(sets(one, two), 2))
    expect((await proxy.state()).reverted).toBeNull()
    expect((await bodies()).size).toBe(2)
  })

  it('holds while somebody speaks', async () => {
    const [one, two] = [await origin('one'), await origin('two')]
    await proxy.setRoutes(routesOf(sets(one, two), 1, { onControllerLoss: policy }))
    const end = Date.now() + 1_500
    await until('time is over', async () => {
      await proxy.control('POST', '/heartbeat')
      return Date.now() > end
    })
    expect((await proxy.state()).reverted).toBeNull()
  })
})

describe('drain', () => {
  const swap = (one: Origin, two: Origin, more = {}) =>
    routesOf(
      [
        { release: 'v1', weight: 0, ports: [], draining: [one.port] },
        { release: 'v2', ports: [two.port] },
      ],
      2,
      more,
    )

  it('lets a running request end and reports it done', async () => {
    const [one, two] = [await origin('one'), await origin('two')]
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const slow = call({ port, path: '/slow' })
    await until('request arrived', () => one.seen.length === 1)
    await proxy.setRoutes(swap(one, two))
    expect((await call({ port })).body).toBe('two')
    expect((await slow).body).toBe('one')
    await until('done', async () => (await proxy.state()).instances[0]?.drain?.done === true)
    expect((await proxy.state()).instances[0]?.drain?.cutTotal).toBe(0)
  })

  it('cuts what is too slow, says 503, counts it, and not as an error', async () => {
    const [one, two] = [await origin('one'), await origin('two')]
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const never = call({ port, path: '/never' })
    await until('request arrived', () => one.seen.length === 1)
    await proxy.setRoutes(swap(one, two, { drain: { requestsMs: 200, websocketsMs: 200 } }))
    expect((await never).status).toBe(503)
    const drain = (await proxy.state()).instances[0]?.drain
    expect(drain).toMatchObject({ done: true, cutTotal: 1, cut: [{ route: 'GET /never', kind: 'request' }] })
    expect((await proxy.counts()).releases[0]?.total).toMatchObject({ cutOnDrain: 1, errors: 0, requests: 1 })
  })

  it('says 1001 to both ends of each WebSocket, spread over the time, and ends event streams', async () => {
    const [one, two] = [await origin('one'), await origin('two')]
    const server = new WebSocketServer({ server: one.server })
    const upstreamCodes: number[] = []
    server.on('connection', (socket) => {
      socket.on('close', (code) => upstreamCodes.push(code))
      socket.send('welcome')
    })
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const closes: { code: number; at: number }[] = []
    for (let at = 0; at < 5; at += 1) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
      socket.on('close', (code) => closes.push({ code, at: performance.now() }))
      await new Promise((resolve) => socket.once('message', resolve))
    }
    const events = raw(port, 'GET /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    await until('all there', async () => (await proxy.state()).instances[0]?.inFlight === 1)
    await proxy.setRoutes(swap(one, two, { drain: { requestsMs: 100, websocketsMs: 600 } }))
    await until('all closed', () => closes.length === 5 && upstreamCodes.length === 5)
    expect(closes.map(({ code }) => code)).toEqual([1001, 1001, 1001, 1001, 1001])
    expect(upstreamCodes).toEqual([1001, 1001, 1001, 1001, 1001])
    expect((closes.at(-1)?.at ?? 0) - (closes[0]?.at ?? 0)).toBeGreaterThan(200)
    expect((await events).endsWith('0\r\n\r\n')).toBe(true)
    await until('done', async () => (await proxy.state()).instances[0]?.drain?.done === true)
    expect((await proxy.state()).instances[0]?.drain?.cutTotal).toBe(0)
  })

  it('takes an instance back that became active again', async () => {
    const [one, two] = [await origin('one'), await origin('two')]
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    await proxy.setRoutes(swap(one, two))
    await proxy.setRoutes(routesOf([{ ports: [one.port] }], 3))
    expect((await call({ port })).body).toBe('one')
    expect((await proxy.state()).instances.find(({ release }) => release === 'v1')?.drain).toBeNull()
  })
})

describe('a release under load', () => {
  it('flips weights and replaces instances without losing a request, with and without keep-alive', async () => {
    let instances = [await origin('v1'), await origin('v2')]
    const routes = (weight: number, sequence: number) => {
      const [one, two] = instances.map(({ port }) => port)
      const sets = [
        { release: 'v1', weight: 1_000 - weight, ports: [one ?? 0] },
        { release: 'v2', weight, ports: [two ?? 0] },
      ]
      return routesOf(sets, sequence)
    }
    const port = await proxy.setRoutes(routes(0, 1))
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    const wrong: string[] = []
    let running = true
    let sent = 0
    const client = async (own: Agent | undefined, method: string) => {
      while (running) {
        sent += 1
        const answer = await call({
          port,
          method,
          body: method === 'POST' ? 'x' : '',
          ...(own === undefined ? {} : { agent: own }),
        })
        if (answer.status !== 200 || !/^v[12]$/.test(answer.body))
          wrong.push(`${answer.status} ${answer.body}`)
      }
    }
    const clients = [
      client(agent, 'GET'),
      client(agent, 'POST'),
      client(undefined, 'GET'),
      client(undefined, 'POST'),
    ]
    for (let sequence = 2; sequence < 14; sequence += 1) {
      const gone = instances
      if (sequence % 3 === 0) instances = [await origin('v1'), await origin('v2')]
      await proxy.setRoutes(routes([0, 100, 500, 1_000][sequence % 4] ?? 0, sequence))
      const target = sent + 60
      await until('some traffic', () => sent > target)
      if (gone === instances) continue
      await until('drained', async () =>
        (await proxy.state()).instances.every(({ drain }) => drain === null || drain.done),
      )
      for (const old of gone) await old.close()
    }
    running = false
    await Promise.all(clients)
    agent.destroy()
    expect(wrong).toEqual([])
    const { releases, unroutable } = await proxy.counts()
    expect(releases.reduce((sum, { total }) => sum + total.requests, 0)).toBe(sent)
    expect([unroutable, ...releases.map(({ total }) => total.errors)]).toEqual([0, 0, 0])
  })
})

describe('shutdown', () => {
  it('on SIGTERM says 1001 to WebSockets and exits 0', async () => {
    const one = await origin('one')
    new WebSocketServer({ server: one.server }).on('connection', (socket) => socket.send('welcome'))
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
    const code = new Promise<number>((resolve) => socket.once('close', resolve))
    await new Promise((resolve) => socket.once('message', resolve))
    proxy.kill('SIGTERM')
    expect(await code).toBe(1001)
    expect(await proxy.exit).toBe(0)
  })

  it('on SIGTERM finishes what runs, answers with connection: close, and exits 0', async () => {
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const idle = connect(port, '127.0.0.1')
    await new Promise((resolve) => idle.once('connect', resolve))
    const slow = call({ port, path: '/slow' })
    await until('request arrived', () => one.seen.length === 1)
    proxy.kill('SIGTERM')
    await until('no new connections', () => connectFails(port))
    const late = new Promise<string>((resolve) => idle.once('data', (data) => resolve(data.toString())))
    idle.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect((await late).toLowerCase()).toContain('connection: close')
    expect((await slow).body).toBe('one')
    expect(await proxy.exit).toBe(0)
  })

  it('survives the end of whoever reads its log', async () => {
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    proxy.closeLog()
    for (let sequence = 2; sequence < 5; sequence += 1)
      await proxy.setRoutes(routesOf([{ ports: [one.port] }], sequence))
    const req = request({ port, agent: false })
    req.end()
    await new Promise((resolve) => req.once('response', resolve))
    req.destroy()
  })
})

function connectFails(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', () => resolve(true))
  })
}
