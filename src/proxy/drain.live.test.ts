import { Agent } from 'node:http'
import { describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { call, named, type Origin, raw, routesOf, until } from './proxy-process.test.kit.ts'
import { useSharedProxy } from './shared-proxy.test.kit.ts'

const proxy = useSharedProxy()
const origin = (name: string) => proxy.origin(named(name))

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
    const drain = async () => (await proxy.state()).instances[0]?.drain
    await until('done', async () => (await drain())?.done === true)
    expect(await drain()).toMatchObject({ cutTotal: 1, cut: [{ route: 'GET /never', kind: 'request' }] })
    expect(await proxy.total()).toMatchObject({ cutOnDrain: 1, errors: 0, requests: 1 })
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
    await proxy.setRoutes(swap(one, two, { drain: { requestsMs: 100, websocketsMs: 1_500 } }))
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
    const counted = async () =>
      (await proxy.counts()).releases.reduce((sum, { total }) => sum + total.requests, 0)
    await until('all are counted', async () => (await counted()) >= sent)
    expect(await counted()).toBe(sent)
    const { releases, unroutable } = await proxy.counts()
    expect([unroutable, ...releases.map(({ total }) => total.errors)]).toEqual([0, 0, 0])
  })
})
