import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { call, routesOf, until } from '../../../proxy/proxy-process.test.kit.ts'
import { type MetricSetup, metricConformance } from '../../../testkit/conformance/metric.ts'
import type { RouterSetup } from '../../../testkit/conformance/router/kit.ts'
import { routerConformance } from '../../../testkit/conformance/router.ts'
import { callAndKill, createRouterUsers } from '../../../testkit/servers/router-users.test.kit.ts'
import { Bench, makeBench, skipReason, unwrap } from './haproxy.test.kit.ts'
import { mapOf, slotOf } from './names.ts'

const FIXTURE = new URL('./caller-fixture.ts', import.meta.url).href
/** Each request is dealt by chance: of 1,000 at 50%, 500 give or take 16 (one standard deviation); 6 of these are allowed. */
const TOLERANCE = 95

describe.skipIf(skipReason !== null)('haproxy', () => {
  routerConformance('haproxy', async (): Promise<RouterSetup> => {
    const bench = new Bench(await mkdtemp(join(tmpdir(), 'sluice-haproxy-')))
    const users = createRouterUsers(() => bench.port())
    const { folder } = bench
    return {
      ...users,
      router: bench.plane.router,
      listen: { host: '127.0.0.1', port: 0 },
      tolerance: TOLERANCE,
      second: async () => bench.newPlane().router,
      killedIn: (routes, afterMs) =>
        callAndKill({ module: FIXTURE, make: 'createRouter', options: { folder } }, routes, afterMs),
      edit: async (weights) => {
        const slots = (await bench.state()).sets.map(({ release }, slot) => ({ release, slot }))
        const map = mapOf('shop')
        await bench.byHand(`clear map ${map}`)
        let from = 0
        for (const { release, slot } of slots) {
          const to = from + (weights[release] ?? 0)
          await bench.byHand(`add map ${map} ${from}:${to - 1} ${slotOf('shop', slot)}`)
          from = to
        }
      },
      reload: async () => {
        const before = await bench.workerPid()
        await bench.ask('reload')
        await until('a new worker', async () => (await bench.workerPid()) !== before)
      },
      async turnedAway() {
        const answer = await fetch(`http://127.0.0.1:${await bench.port()}/`)
        return { status: answer.status, retryAfter: answer.headers.get('retry-after') }
      },
      counts: bench.plane.counts,
      async cleanup() {
        await users.cleanup()
        await bench.remove()
      },
    }
  })

  metricConformance('haproxy-log', async (): Promise<MetricSetup> => {
    const bench = await makeBench()
    const instance = await bench.startInstance('v1', (req, res) => {
      res.statusCode = req.url === '/fail' ? 500 : 200
      res.end('v1')
    })
    unwrap(await bench.plane.router.reconcile())
    unwrap(await bench.plane.router.setRoutes(routesOf([{ ports: [instance.port] }], 1)))
    const port = await bench.port()
    return {
      metrics: bench.plane.counts,
      service: 'shop',
      async serve({ good, failing }) {
        for (let turn = 0; turn < good; turn += 1) await call({ port, agent: bench.agent })
        for (let turn = 0; turn < failing; turn += 1) await call({ port, path: '/fail', agent: bench.agent })
      },
      async cutOff() {
        process.kill(await bench.masterPid(), 'SIGKILL')
      },
      cleanup: () => bench.remove(),
    }
  })
})
