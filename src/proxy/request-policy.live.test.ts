import { readFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { accessLogFile } from '../core/shared/access-log-file.ts'
import type { ServiceRoutes } from '../core/shared/routes.ts'
import {
  call,
  makeOrigin,
  makeProxy,
  type Origin,
  type ProxyProcess,
  raw,
  routesOf,
  until,
} from './proxy-process.test.kit.ts'

const OUTLIER = { failures: 5, forMs: 1_000, maxPercent: 50 }
const HANDSHAKE =
  'GET / HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'

let proxy: ProxyProcess
let agent: Agent
let tests = 0
const origins: Origin[] = []

beforeAll(async () => {
  proxy = await makeProxy()
  agent = new Agent({ keepAlive: true })
})
afterEach(async () => {
  for (const made of origins.splice(0)) await made.close()
})
afterAll(async () => {
  agent.destroy()
  await proxy.remove()
})

async function origin(...args: Parameters<typeof makeOrigin>): Promise<Origin> {
  const made = await makeOrigin(...args)
  origins.push(made)
  return made
}

/** Each test has a service of its own. */
const service = () => `shop-${tests}`
const put = (sets: Parameters<typeof routesOf>[0], more: Partial<ServiceRoutes>, sequence = 1) =>
  proxy.setRoutes({ ...routesOf(sets, sequence, more), service: service() })
const state = () => proxy.state(service())

/** The statuses of so many requests, one after the other. */
async function statuses(port: number, times: number, path = '/'): Promise<number[]> {
  const all: number[] = []
  for (let turn = 0; turn < times; turn += 1) all.push((await call({ port, path, agent })).status)
  return all
}
const errors = (all: readonly number[]) => all.filter((status) => status >= 500).length

describe('an instance that fails users', () => {
  beforeAll(() => {
    tests += 1
  })

  it('gets nothing for a while, then little, then its share; no other release gets its requests', async () => {
    let isBroken = true
    const bad = await origin((_, res) => res.writeHead(isBroken ? 500 : 200).end())
    const [good, other] = [await origin(), await origin()]
    const sets = [
      { release: 'v1', weight: 500, ports: [bad.port, good.port] },
      { release: 'v2', weight: 500, ports: [other.port] },
    ]
    const port = await put(sets, { outlier: OUTLIER })
    const all = await statuses(port, 100)
    const [out] = (await state()).instances.filter(({ ejected }) => ejected !== undefined)
    expect(out?.id).toBe(`i-${bad.port}`)
    // On a slow machine it was tried again meanwhile.
    expect(out?.ejected?.why).toMatch(/^5 requests in a row failed: 5 × 5xx$|^tried again, and failed: 5xx$/)
    expect(errors(all)).toBeLessThanOrEqual(10)
    expect(Math.abs(other.seen.length - 50)).toBeLessThan(25)

    isBroken = false
    await until('it is back', async () => {
      await statuses(port, 2)
      return (await state()).instances.every(({ ejected }) => ejected === undefined)
    })
    bad.seen.length = 0
    expect(errors(await statuses(port, 80))).toBe(0)
    expect(bad.seen.length).toBeGreaterThanOrEqual(10)
    const metrics = await call({ socketPath: proxy.socket, path: '/metrics' })
    expect(metrics.body).toContain(`sluice_proxy_ejections_total{stream="${service()}",version="v1"}`)
  })

  it('stays when it is the last one of its release, so that its errors are seen', async () => {
    tests += 1
    const [bad, good] = [await origin((_, res) => res.writeHead(500).end()), await origin()]
    const sets = [
      { release: 'v1', weight: 500, ports: [good.port] },
      { release: 'v2', weight: 500, ports: [bad.port] },
    ]
    const port = await put(sets, { outlier: OUTLIER })
    expect(errors(await statuses(port, 40))).toBeGreaterThan(6)
    expect((await state()).instances.every(({ ejected }) => ejected === undefined)).toBe(true)
  })

  it('is asked all the same when no other one takes connections', async () => {
    tests += 1
    const [bad, good] = [await origin((_, res) => res.writeHead(500).end()), await origin()]
    const port = await put([{ ports: [bad.port, good.port] }], { outlier: { ...OUTLIER, forMs: 60_000 } })
    await statuses(port, 20)
    expect((await state()).instances.some(({ ejected }) => ejected !== undefined)).toBe(true)
    await good.close()
    const answer = await call({ port })
    expect([answer.status, answer.headers['content-type']]).toEqual([500, undefined])
  })
})

describe('limits of a service', () => {
  it('turn away what is more at the same time, a WebSocket too, and count it as refused', async () => {
    tests += 1
    const answers: (() => void)[] = []
    let isSlow = true
    const slow = await origin(
      (_, res) => void (isSlow ? answers.push(() => res.end('late')) : res.end('soon')),
    )
    const port = await put([{ ports: [slow.port] }], { limits: { requests: 2 } })
    const running = [call({ port }), call({ port })]
    await until('both are there', () => answers.length === 2)
    const over = await call({ port, agent })
    expect([over.status, over.headers['retry-after'], JSON.parse(over.body).code]).toEqual([
      503,
      '1',
      'SERVICE_BUSY',
    ])
    // Turned away, not lost: the mark of what nobody could take is missing, and the connection goes on.
    expect([over.headers['sluice-error'], over.headers.connection]).toEqual([undefined, 'keep-alive'])
    expect(await raw(port, HANDSHAKE)).toMatch(/^HTTP\/1.1 503 .*SERVICE_BUSY/s)
    const probe = call({ port, headers: { 'sluice-probe': 'probe-secret' } })
    await until('the probe is let in', () => answers.length === 3)
    isSlow = false
    for (const go of answers) go()
    expect((await Promise.all([...running, probe])).map(({ status }) => status)).toEqual([200, 200, 200])
    await until('places are free', async () => (await call({ port })).status === 200)
    const counts = await proxy.counts(service())
    expect(counts.refused).toBeGreaterThanOrEqual(2)
    expect([counts.unroutable, counts.releases[0]?.total.errors]).toEqual([0, 0])
    expect((await state()).limited?.requests).toBe(counts.refused)
  })

  it('turn away what is more a second, and larger bodies, whether their length is known or not', async () => {
    tests += 1
    const made = await origin((req, res) => void req.resume().on('end', () => res.end()))
    const port = await put([{ ports: [made.port] }], {
      limits: { bodyBytes: 1024, rate: { perSecond: 0.01, burst: 4 } },
    })
    expect((await call({ port, method: 'POST', body: 'x'.repeat(1024) })).status).toBe(200)
    expect((await call({ port, method: 'POST', body: 'x'.repeat(1025) })).status).toBe(413)
    const chunked = `POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n${'x'.repeat(2048)}\r\n0\r\n\r\n`
    expect(await raw(port, chunked)).toMatch(/^HTTP\/1.1 413 .*BODY_TOO_LARGE/s)
    expect(await statuses(port, 4)).toEqual([200, 200, 429, 429])
    const over = await call({ port, agent })
    expect([Number(over.headers['retry-after']) > 50, JSON.parse(over.body).retryable]).toEqual([true, true])
    expect((await state()).limited).toEqual({ requests: 0, rate: 3 })
    expect((await proxy.counts(service())).refused).toBe(5)
  })
})

describe('the access log', () => {
  const lines = async () =>
    (await readFile(accessLogFile(proxy.folder, service()), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))

  it('has one line for each request, however it ends, and nothing of what is private', async () => {
    tests += 1
    const made = await origin((req, res) => {
      if (req.url?.startsWith('/reset') === true) res.destroy()
      else req.resume().on('end', () => res.end('answer'))
    })
    const accessLog = { sharePermille: 1000, query: false }
    const port = await put([{ ports: [made.port] }], { accessLog, limits: { bodyBytes: 10 } })
    const headers = { authorization: 'hush', cookie: 'a=hush', 'x-request-id': 'r-1' }
    await call({ port, method: 'POST', path: '/orders?token=hush', body: '123', headers })
    await call({ port, headers: { 'sluice-probe': 'probe-secret' } })
    await call({ port, path: '/reset' })
    await call({ port, method: 'POST', body: 'more than that' })
    await until('all are written', async () => (await lines()).length === 4)
    const [order, probe, reset, large] = await lines()
    expect(order).toMatchObject({
      service: service(),
      release: 'v1',
      version: 'v1',
      instance: `i-${made.port}`,
      method: 'POST',
      path: '/orders',
      status: 200,
      bytesIn: 3,
      bytesOut: 6,
      end: 'answered',
      client: '127.0.0.1',
      as: 'live',
      request: 'r-1',
    })
    expect(probe.as).toBe('probe')
    expect([reset.end, reset.status]).toEqual(['reset', 502])
    expect([large.end, large.status, large.code]).toEqual(['refused', 413, 'BODY_TOO_LARGE'])
    expect(await readFile(accessLogFile(proxy.folder, service()), 'utf8')).not.toContain('hush')

    await put([{ ports: [made.port] }], {}, 2)
    await call({ port })
    expect(await lines()).toHaveLength(4)
  })

  it('writes its last lines when the proxy stops', async () => {
    tests += 1
    const made = await origin()
    const port = await put([{ ports: [made.port] }], { accessLog: { sharePermille: 1000, query: false } })
    await statuses(port, 3)
    agent.destroy()
    proxy.kill('SIGTERM')
    await proxy.exit
    expect(await lines()).toHaveLength(3)
  })
})
