import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { accessLogFile } from '../../core/shared/access-log-file.ts'
import { startLoad } from '../../testkit/load/load.ts'
import { startWebSockets } from '../../testkit/load/websockets.ts'
import { expectOneServes } from '../handover/one-serves.test.kit.ts'
import {
  call,
  connectFails,
  dies,
  makeOrigin,
  makeProxy,
  type Origin,
  PROXY_PROGRAM,
  type ProxyProcess,
  routesOf,
  until,
} from '../proxy-process.test.kit.ts'

const origins: Origin[] = []
let proxy: ProxyProcess
let worker: number
beforeEach(async () => {
  // On a busy machine a client may stand still for seconds, and then sends on what a shorter time would have closed.
  proxy = await makeProxy({ keepAliveMs: 20_000 }, ['--workers', '2'])
  ;[worker = -1] = await proxy.workers()
})
afterEach(async () => {
  await proxy.remove()
  for (const made of origins.splice(0)) await made.close()
})

/** An instance that answers with its name, `/held` only when the test lets it, and WebSockets with what they say. */
async function origin(name: string): Promise<Origin & { held: number; letGo(): void }> {
  const held: (() => void)[] = []
  const made = await makeOrigin((req, res) => {
    if (req.url === '/held') held.push(() => res.end(name))
    else res.end(name)
  })
  new WebSocketServer({ server: made.server }).on('connection', (socket) =>
    socket.on('message', (data) => socket.send(data.toString())),
  )
  origins.push(made)
  const letGo = () => {
    for (const answer of held.splice(0)) answer()
  }
  return {
    ...made,
    get held() {
      return held.length
    },
    letGo,
  }
}

const total = async () =>
  (await proxy.counts()).releases.reduce((sum, release) => sum + release.total.requests, 0)

/** Requests on connections of their own that their instance holds; so many that each process has some. */
async function hold(port: number, at: { held: number }, count = 40) {
  const ends: ('answered' | 'reset')[] = []
  for (let number = 0; number < count; number += 1) {
    const req = request({ port, path: '/held', agent: false }, (res) =>
      res.resume().once('end', () => ends.push('answered')),
    )
    req.once('error', () => ends.push('reset')).end()
  }
  await until('the instance has all', () => at.held === count)
  return { ends, count }
}

/** Never to a group: 0 would be this test and whoever started it. */
function signal(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined || pid <= 1) throw new Error(`no worker has the pid ${pid}`)
  process.kill(pid, name)
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('several processes at one address', () => {
  it('share the requests, and are counted as one at any moment', async () => {
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    for (let turn = 1; turn <= 5; turn += 1) {
      await Promise.all(Array.from({ length: 40 }, () => call({ port })))
      expect(await total()).toBe(turn * 40)
    }
    const { ends, count } = await hold(port, one)
    expect((await proxy.state()).instances[0]?.inFlight).toBe(count)
    one.letGo()
    await until('all are answered', () => ends.length === count)
    expect(await total()).toBe(200 + count)
    expect((await proxy.state()).instances[0]?.inFlight).toBe(0)
  })

  it('let in together what the service allows, and no more', async () => {
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1, { limits: { requests: 7 } }))
    const answers = Array.from({ length: 30 }, () => call({ port, path: '/held' }))
    await until('all but those inside are turned away', async () => {
      return one.held >= 7 && (await proxy.state()).limited?.requests === 23
    })
    expect(one.held).toBe(7)
    one.letGo()
    const statuses = (await Promise.all(answers)).map(({ status }) => status)
    expect([
      statuses.filter((status) => status === 200).length,
      statuses.filter((status) => status === 503).length,
    ]).toEqual([7, 23])
    expect((await proxy.counts()).refused).toBe(23)
  })

  it('write one access log with each request once, as a whole line', async () => {
    const one = await origin('one')
    const accessLog = { sharePermille: 1_000, query: false }
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1, { accessLog }))
    const ids = Array.from({ length: 300 }, (_, number) => `request-${number}`)
    await Promise.all(ids.map((id) => call({ port, headers: { 'x-request-id': id } })))
    proxy.kill('SIGTERM')
    await proxy.exit
    const text = await readFile(accessLogFile(proxy.folder, 'shop'), 'utf8')
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).request)
    expect(lines.toSorted()).toEqual(ids.toSorted())
  })

  it('end together when they are told to: WebSockets are told to leave evenly, and nothing is cut', async () => {
    const one = await origin('one')
    const drain = { requestsMs: 20_000, websocketsMs: 1_000 }
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1, { drain }))
    const sockets = startWebSockets({ url: `ws://127.0.0.1:${port}/live`, count: 40, intervalMs: 50 })
    await sockets.ready
    const { ends, count } = await hold(port, one)
    proxy.kill('SIGTERM')
    await until('nobody is let in', () => connectFails(port))
    one.letGo()
    expect(await proxy.exit).toBe(0)
    expect(isAlive(worker)).toBe(false)
    expect(ends).toEqual(Array.from({ length: count }, () => 'answered'))
    expect(await sockets.stop()).toMatchObject({ gracefulCloses: 40, unexpectedCloses: 0, wrongEchoes: 0 })
  })
})

describe('a worker that dies', () => {
  it('takes with it what it had and nothing else, which is counted, and is replaced', async () => {
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    await Promise.all(Array.from({ length: 40 }, () => call({ port })))
    const { ends, count } = await hold(port, one)
    expect(await total()).toBe(40)
    signal(worker, 'SIGKILL')
    await until('clients of the worker know', () => ends.length > 0)
    await until('another one serves', async () => {
      const [pid] = await proxy.workers()
      return pid !== worker
    })
    const lost = ends.length
    one.letGo()
    await until('the others are answered', () => ends.length === count)
    expect(ends.filter((end) => end === 'reset')).toHaveLength(lost)
    expect([lost > 0, lost < count]).toEqual([true, true])
    const { missing, boot } = await proxy.counts()
    expect([missing, boot]).toEqual([lost, (await proxy.livez()).boot])
    expect(await total()).toBe(40 + count - lost)
    await Promise.all(Array.from({ length: 40 }, () => call({ port })))
    expect(await total()).toBe(80 + count - lost)
  })

  it('under load costs no request that comes after', async () => {
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const ratePerSecond = 40
    const load = startLoad({
      url: `http://127.0.0.1:${port}`,
      ratePerSecond,
      connections: 'both',
      // As browsers do: a silent connection may have gone with the worker.
      sendAgain: true,
      mix: [{ method: 'GET', path: '/', share: 1 }],
      timeoutMs: 30_000,
    })
    let underWay = 0
    let dead = worker
    const kills = 2
    for (let turn = 1; turn <= kills; turn += 1) {
      await until('requests flow', () => load.stats().answered > turn * 60)
      signal(dead, 'SIGKILL')
      underWay += load.stats().inFlight
      await until('another one serves', async () => {
        const [pid = dead] = await proxy.workers()
        const isNew = pid !== dead
        dead = pid
        return isNew
      })
    }
    const { lost, answered, byStatus } = await load.stop()
    const { missing = 0 } = await proxy.counts()
    const counted = await total()
    expect(byStatus).toEqual({ 200: answered })
    expect(lost.count).toBeLessThanOrEqual(underWay)
    expect(lost.byKind).toEqual(lost.count === 0 ? {} : { reset: lost.count })
    // Nothing is counted twice; a worker takes along what it counted since it told last, which on a busy machine is a while ago.
    expect(counted).toBeLessThanOrEqual(answered + lost.count)
    expect(counted + missing).toBeGreaterThanOrEqual(answered - kills * 2 * ratePerSecond)
  })

  it('in the middle of changes leaves none of them half done', async () => {
    const made = [await origin('v0'), await origin('v1'), await origin('v2')]
    const routes = (sequence: number) =>
      routesOf([{ release: `v${sequence % 3}`, ports: [made[sequence % 3]?.port ?? 0] }], sequence)
    const port = await proxy.setRoutes(routes(1))
    let sequence = 1
    for (let turn = 0; turn < 4; turn += 1) {
      const [pid] = await proxy.workers()
      for (let change = 0; change < 10; change += 1) {
        sequence += 1
        if (change === 5) signal(pid, 'SIGKILL')
        // A controller repeats what was not confirmed.
        await until('the change is confirmed', async () => (await proxy.setRoutes(routes(sequence))) === port)
        const bodies = await Promise.all(Array.from({ length: 12 }, async () => (await call({ port })).body))
        expect(new Set(bodies)).toEqual(new Set([`v${sequence % 3}`]))
      }
    }
    await proxy.workers()
    const bodies = await Promise.all(Array.from({ length: 40 }, async () => (await call({ port })).body))
    expect(new Set(bodies)).toEqual(new Set([`v${sequence % 3}`]))
    expect((await proxy.state()).token?.sequence).toBe(sequence)
  })

  it('by standing still confirms nothing, and is ended and replaced', async () => {
    const [one, two] = [await origin('one'), await origin('two')]
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    signal(worker, 'SIGSTOP')
    const change = routesOf([{ release: 'v2', ports: [two.port] }], 2)
    const unconfirmed = await proxy.control('PUT', '/services/shop/routes', change)
    expect(unconfirmed).toMatchObject({ status: 409, body: { code: 'ROUTES_NOT_FOLLOWED', retryable: true } })
    expect((await proxy.control('GET', '/services/shop/state')).status).toBe(503)
    await until('it is confirmed', async () => (await proxy.setRoutes(change)) === port)
    await until('another one serves', async () => (await proxy.workers())[0] !== worker)
    expect(isAlive(worker)).toBe(false)
    const bodies = await Promise.all(Array.from({ length: 40 }, async () => (await call({ port })).body))
    expect(new Set(bodies)).toEqual(new Set(['two']))
  })
})

describe('the process that leads and dies', () => {
  it('leaves workers that end what they have and hold nothing that the next one needs', async () => {
    const [one, two] = [await origin('one'), await origin('two')]
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const { boot } = await proxy.livez()
    const { ends, count } = await hold(port, one)
    proxy.kill('SIGKILL')
    await proxy.exit
    await until('its own requests are gone, and the address is free', () => connectFails(port))
    const lost = ends.length
    await proxy.start()
    const [next] = await proxy.workers()
    expect([next !== worker, isAlive(worker), (await proxy.livez()).boot !== boot]).toEqual([
      true,
      true,
      true,
    ])
    await proxy.setRoutes(routesOf([{ release: 'v2', ports: [two.port] }], 2))
    const bodies = await Promise.all(Array.from({ length: 40 }, async () => (await call({ port })).body))
    expect(new Set(bodies)).toEqual(new Set(['two']))
    one.letGo()
    await until('the rest is answered', () => ends.length === count)
    expect([lost > 0, ends.filter((end) => end === 'answered').length]).toEqual([true, count - lost])
    await until('the old worker ends', () => !isAlive(worker))
  })

  it('and whose worker stands still is followed by one that ends it', async () => {
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    signal(worker, 'SIGSTOP')
    proxy.kill('SIGKILL')
    await proxy.exit
    await proxy.start()
    await until('the old worker is gone', () => !isAlive(worker))
    await until('the address is served', async () => (await call({ port })).body === 'one')
    await proxy.workers()
  })
})

describe('an upgrade of several processes', () => {
  it('loses nothing and counts everything once, also to another number of processes', async () => {
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const { boot } = await proxy.livez()
    const load = startLoad({
      url: `http://127.0.0.1:${port}`,
      ratePerSecond: 100,
      connections: 'both',
      mix: [
        { method: 'GET', path: '/', share: 3 },
        { method: 'POST', path: '/upload', body: 'x'.repeat(20_000), share: 1 },
      ],
      timeoutMs: 30_000,
    })
    const old = [proxy.pid, worker]
    for (const processes of ['2', '3', '1']) {
      await until('requests flow', async () => (await total()) > 0)
      const { status } = await proxy.upgrade([...PROXY_PROGRAM, '--workers', processes])
      expect(status).toBe(200)
      const pids = await proxy.workers()
      expect(pids).toHaveLength(Number(processes) - 1)
      expect(pids.filter((pid) => old.includes(pid))).toEqual([])
      old.push(...pids)
    }
    const stats = await load.stop()
    expect(stats.lost).toEqual({ count: 0, byKind: {}, samples: [] })
    await until('all old ones are gone', async () => (await proxy.livez()).leaving === 0)
    expect([await total(), (await proxy.counts()).boot]).toEqual([stats.sent, boot])
    expect(old.filter(isAlive)).toEqual([])
    // Numbers for Prometheus are those of all processes, also of those that are gone.
    const { body } = await call({ socketPath: proxy.socket, path: '/metrics' })
    const labels = 'stream="shop",version="v1"'
    expect(body).toContain(`sluice_proxy_requests_total{${labels},status="2xx"} ${stats.sent}\n`)
    expect(body).toContain(`sluice_proxy_request_duration_seconds_count{${labels}} ${stats.sent}\n`)
    const [, sum] = /request_duration_seconds_sum\{stream="shop",version="v1"\} ([\d.]+)/.exec(body) ?? []
    expect(Number(sum)).toBeGreaterThan(0)
  })

  it('that does not work leaves all of them in charge', async () => {
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    const { status } = await proxy.upgrade(dies('says serving', 'heir'))
    expect(status).toBe(409)
    expect([(await proxy.livez()).pid, await proxy.workers()]).toEqual([proxy.pid, [worker]])
    await expectOneServes(proxy, port, 2)
    await proxy.setRoutes(routesOf([{ ports: [one.port] }], 3))
    const { ends, count } = await hold(port, one)
    expect((await proxy.state()).instances[0]?.inFlight).toBe(count)
    one.letGo()
    await until('all are answered', () => ends.length === count)
  })

  it('in which the old one dies ends with the new one and its worker', async () => {
    const one = await origin('one')
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 1))
    await proxy.upgrade(dies('says serving', 'elder')).catch(() => undefined)
    await proxy.exit
    await until('the new one has a worker', async () => {
      const [pid] = await proxy.workers()
      return pid !== undefined && pid !== worker
    })
    await until('the old worker is gone', () => !isAlive(worker))
    await expectOneServes(proxy, port, 2)
  })
})
