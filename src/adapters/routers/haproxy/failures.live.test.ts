import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { call, deadPort, portOf, routesOf, until } from '../../../proxy/proxy-process.test.kit.ts'
import { CONFIG } from './files.ts'
import { Bench, codeOf, makeBench, skipReason, unwrap } from './haproxy.test.kit.ts'
import type { Ask } from './master.ts'
import { masterPid } from './master-process.ts'
import { slotOf } from './names.ts'

const listens = (server: Server, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    server.removeAllListeners('error').once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })

/** A controller that sends so many commands and then no more, as after `kill -9`. */
function dyingAt(diesAt: number, ask: Ask): Ask {
  let asked = 0
  return async (line) => {
    if (asked >= diesAt) throw new Error('dead')
    asked += 1
    return await ask(line)
  }
}

describe.skipIf(skipReason !== null)('haproxy in trouble', () => {
  let bench: Bench
  let ports: { stable: number; candidate: number }
  beforeEach(async () => {
    bench = await makeBench()
    ports = {
      stable: (await bench.startInstance('stable')).port,
      candidate: (await bench.startInstance('candidate')).port,
    }
  })
  afterEach(() => bench.remove())

  const split = (permille: number, sequence: number, more: Partial<ServiceRoutes> = {}): ServiceRoutes =>
    routesOf(
      [
        { release: 'stable', weight: 1000 - permille, ports: [ports.stable] },
        { release: 'candidate', weight: permille, ports: [ports.candidate] },
      ],
      sequence,
      more,
    )
  const set = async (routes: ServiceRoutes) => unwrap(await bench.plane.router.setRoutes(routes))
  const weights = async () => (await bench.state()).sets.map(({ weightPermille }) => weightPermille)

  it('is right after the next change when its controller dies between any two commands', async () => {
    await set(split(0, 1))
    const port = await bench.port()
    for (let diesAt = 0; ; diesAt += 1) {
      const sequence = 2 * diesAt + 2
      // A new release and a new instance each time, so that every kind of command is under way.
      const { port: extra } = await bench.startInstance('candidate')
      const half = [
        { release: 'stable', weight: 500, ports: [ports.stable] },
        { release: `candidate-${diesAt}`, weight: 500, ports: [ports.candidate, extra] },
      ]
      const mortal = bench.newPlane({ ask: dyingAt(diesAt, bench.ask) })
      const survived = await mortal.router.setRoutes(routesOf(half, sequence)).catch(() => null)
      await mortal.close()
      expect((await call({ port, agent: bench.agent })).status, `died at command ${diesAt}`).toBe(200)
      await set(split(1000, sequence + 1))
      expect(await weights()).toEqual([0, 1000])
      expect(await bench.send(3)).toEqual({ candidate: 3 })
      if (survived !== null) break
      expect(diesAt).toBeLessThan(100)
    }
  })

  it('ends after a change that is under way, which does not start it again', async () => {
    const change = bench.plane.router.setRoutes(split(0, 1))
    // It is written just before it is started.
    await until('the change is under way', () => existsSync(join(bench.folder, CONFIG)))
    await bench.plane.end()
    unwrap(await change)
    expect(await masterPid(bench.folder)).toBeNull()
  })

  it('comes back with its routes after it was killed, for another controller too', async () => {
    await set(split(200, 1))
    const { port } = unwrap(await bench.plane.router.readState('shop')).listening ?? { port: 0 }
    process.kill(await bench.masterPid(), 'SIGKILL')
    await until('nobody answers', async () => (await bench.ask('show proc')).kind === 'failed')
    expect(codeOf(await bench.plane.router.readState('shop'))).toBe('ROUTER_UNREACHABLE')
    const { router } = bench.newPlane()
    unwrap(await router.reconcile())
    expect(await weights()).toEqual([800, 200])
    expect((await call({ port })).status).toBe(200)
    const pid = await bench.masterPid()
    unwrap(await router.reconcile())
    expect(await bench.masterPid()).toBe(pid)
  })

  it('shows what somebody changed by hand, and sets it right with the next change', async () => {
    await set(split(500, 1))
    const [server = ''] =
      /i[0-9a-f]{12}/.exec(await bench.byHand(`show servers state ${slotOf('shop', 0)}`)) ?? []
    const name = `${slotOf('shop', 0)}/${server}`
    const instances = async () => (await bench.state()).sets[0]?.instances.map(({ state }) => state)
    expect(await instances()).toEqual(['active'])
    for (const edit of [`set server ${name} state maint`, `set server ${name} weight 0`]) {
      await bench.byHand(edit)
      expect(await instances(), edit).toEqual(['draining'])
      await set(split(500, ((await bench.state()).token?.sequence ?? 0) + 1))
      expect(await instances()).toEqual(['active'])
    }
    await bench.byHand(`set server ${name} state maint`)
    await bench.byHand(`del server ${name}`)
    expect(await instances()).toEqual([])
    await set(split(500, 9))
    expect(await instances()).toEqual(['active'])
    await bench.byHand(`set server ${name} addr 127.0.0.1 port ${ports.candidate}`)
    expect(await instances()).toEqual([])
    await set(split(0, 10))
    expect(await bench.send(3)).toEqual({ stable: 3 })
  })

  it('refuses an address that is taken, and leaves everything as it was', async () => {
    await set(split(100, 1))
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const listen = { host: '127.0.0.1', port: portOf(other) }
    const kept = await readFile(join(bench.folder, 'routes.json'), 'utf8')
    const worker = await bench.workerPid()
    const result = await bench.plane.router.setRoutes(split(900, 2, { listen }))
    expect(result.kind === 'failed' && result.problem.message).toContain(`127.0.0.1:${listen.port}`)
    const ours = await bench.plane.router.setRoutes(
      split(900, 2, { service: 'other', listen: { host: '127.0.0.1', port: await bench.port() } }),
    )
    expect(ours.kind === 'failed' && ours.problem.message).toContain('both take all paths of every host')
    expect(await readFile(join(bench.folder, 'routes.json'), 'utf8')).toBe(kept)
    expect([await bench.workerPid(), await weights()]).toEqual([worker, [900, 100]])
    // After a restart the others are served, and this one as soon as its address is free.
    await set(split(100, 1, { service: 'api', listen: { host: '127.0.0.1', port: 0 } }))
    const own = await bench.state()
    process.kill(await bench.masterPid(), 'SIGKILL')
    await until('nobody answers', async () => (await bench.ask('show proc')).kind === 'failed')
    const thief = createServer()
    await until('its address is free', () => listens(thief, own.listening?.port ?? 0))
    unwrap(await bench.plane.router.reconcile())
    expect([
      (await bench.state()).listening,
      (await bench.send(1, await bench.port('api'))).stable ?? 1,
    ]).toEqual([null, 1])
    const served = await bench.workerPid()
    unwrap(await bench.plane.router.reconcile())
    expect(await bench.workerPid()).toBe(served)
    await new Promise((resolve) => thief.close(resolve))
    unwrap(await bench.plane.router.reconcile())
    expect((await bench.state()).listening).toEqual(own.listening)
    other.close()
  })

  it('has not followed a change while the worker of before still takes connections by the old one', async () => {
    await set(split(0, 1))
    const before = await bench.workerPid()
    let looks = 0
    // As on a busy machine, where it is told late that it shall listen no more.
    const ask: Ask = async (line) => {
      const answer = await bench.ask(line)
      if (
        line !== `@!${before} show info` ||
        answer.kind === 'failed' ||
        !/^Stopping: 1$/m.test(answer.value)
      )
        return answer
      looks += 1
      return looks > 3 ? answer : { kind: 'ok', value: answer.value.replace('Stopping: 1', 'Stopping: 0') }
    }
    bench.plane = bench.newPlane({ ask })
    // Without it that worker would be gone.
    await bench.hold()
    await set(split(100, 1, { service: 'api', listen: { host: '127.0.0.1', port: 0 } }))
    expect(looks).toBe(4)
    expect(await bench.workerPid()).not.toBe(before)
  })

  it('goes on as before when haproxy refuses a reload', async () => {
    await set(split(100, 1))
    const worker = await bench.workerPid()
    const file = join(bench.folder, 'haproxy.cfg')
    await writeFile(file, `${await readFile(file, 'utf8')}\nnonsense\n`)
    await bench.ask('reload')
    expect(await bench.workerPid()).toBe(worker)
    await set(split(200, 2))
    expect(await weights()).toEqual([800, 200])
    await set(split(100, 1, { service: 'api', listen: { host: '127.0.0.1', port: 0 } }))
    expect(await weights()).toEqual([800, 200])
  })

  it('goes on with a drain that an earlier controller began, and tells its whole age', async () => {
    await set(split(1000, 1))
    const held = await bench.hold()
    const limits = { requestsMs: 5_000, websocketsMs: 5_000 }
    await set(routesOf([{ release: 'stable', ports: [ports.stable] }], 2, { drain: limits }))
    await bench.plane.close()
    bench.plane = bench.newPlane()
    const drainOf = async () =>
      (await bench.state()).instances.find(({ release }) => release === 'candidate')?.drain
    expect(await drainOf()).toMatchObject({ done: false, cutTotal: 0 })
    await held.ended
    await until('it is reported', async () => (await drainOf())?.done === true)
    const drain = await drainOf()
    expect([drain?.cutTotal, drain?.cut[0]?.kind]).toEqual([1, 'request'])
    expect(drain?.sinceMs).toBeGreaterThanOrEqual(5_000)
    await until(
      'the server is taken out',
      async () => !(await bench.byHand('show stat -1 4 -1')).includes(`${slotOf('shop', 1)},i`),
    )
  })

  it('sends the request on when an instance does not answer the door', async () => {
    await set(routesOf([{ release: 'stable', ports: [ports.stable, await deadPort()] }], 1))
    expect(await bench.send(20)).toEqual({ stable: 20 })
  })

  it('counts what the log did not tell, and says nothing about such a window', async () => {
    await set(split(0, 1))
    expect((await bench.plane.counts.query('shop')).kind).toBe('samples')
    const port = await bench.port()
    await bench.byHand(`shutdown session ${await bench.logReader()}`)
    await bench.send(50, port)
    await expect
      .poll(async () => {
        const answer = await bench.plane.counts.query('shop')
        return answer.kind === 'failure' ? answer.problem.code : answer.kind
      })
      .toBe('COUNTS_INCOMPLETE')
    await until('it listens again by itself', async () => {
      await bench.plane.counts.query('shop')
      return (await bench.logReader()) !== ''
    })
    await bench.send(20, port)
    await expect
      .poll(async () => {
        const told = await bench.plane.counts.query('shop')
        return told.kind === 'samples' && told.counts.releases[0]?.total.requests
      })
      .toBe(20)
  })

  it('ends with the last request, not with the last idle connection', async () => {
    const slow = await bench.startInstance('slow', (req, res) => {
      setTimeout(() => res.end('slow'), req.url === '/slow' ? 1_500 : 0)
    })
    await set(routesOf([{ release: 'slow', ports: [slow.port] }], 1))
    const port = await bench.port()
    await bench.send(3, port)
    const answer = call({ port, path: '/slow', agent: bench.agent })
    await until('it is under way', () => slow.origin.seen.some(({ url }) => url === '/slow'))
    const began = performance.now()
    await bench.plane.end()
    expect((await answer).body).toBe('slow')
    // The drain limits are 20 s.
    expect(performance.now() - began).toBeLessThan(10_000)
    await bench.plane.end()
  })

  it('works in a folder whose name is long and odd', async () => {
    const folder = join(bench.folder, `a b'"#\\ ${'x'.repeat(120)}`)
    await mkdir(folder)
    const odd = new Bench(folder)
    const instance = await odd.startInstance('v1')
    unwrap(await odd.plane.router.setRoutes(routesOf([{ ports: [instance.port] }], 1)))
    expect(await odd.send(2)).toEqual({ v1: 2 })
    await odd.remove()
  })
})
