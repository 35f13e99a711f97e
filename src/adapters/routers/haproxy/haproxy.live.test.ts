import { afterAll, describe } from 'vitest'
import type { FencingToken } from '../../../core/shared/token.ts'
import { call, routesOf, until } from '../../../proxy/proxy-process.test.kit.ts'
import { type MetricSetup, metricConformance } from '../../../testkit/conformance/metric.ts'
import type { RouterSetup } from '../../../testkit/conformance/router/kit.ts'
import { underName } from '../../../testkit/conformance/router/shared-plane.ts'
import { routerConformance } from '../../../testkit/conformance/router.ts'
import { callAndKill, createRouterUsers } from '../../../testkit/servers/router-users.test.kit.ts'
import { type Bench, makeBench, skipReason, unwrap } from './haproxy.test.kit.ts'
import { mapOf, slotOf } from './names.ts'

const FIXTURE = new URL('./caller-fixture.ts', import.meta.url).href
/** Each request is dealt by chance: of 1,000 at 50%, 500 give or take 16 (one standard deviation); 6 of these are allowed. */
const TOLERANCE = 95

/** No case has a later one. */
const LAST: FencingToken = { epoch: 1_000, sequence: 1, rollout: null }

/** One HAProxy for all cases, each with a service of its own. */
let shared: Promise<Bench> | null = null
let cases = 0

async function benchAndService(): Promise<{ bench: Bench; service: string }> {
  shared ??= makeBench()
  const bench = await shared
  // A controller of its own: those of the case before may have taken the log, or ended the program.
  for (const plane of bench.planes.splice(0)) await plane.close()
  bench.plane = bench.newPlane()
  unwrap(await bench.plane.router.reconcile())
  cases += 1
  return { bench, service: `shop-${cases}` }
}

describe.skipIf(skipReason !== null)('haproxy', () => {
  afterAll(async () => (await shared)?.remove())

  routerConformance('haproxy', async (): Promise<RouterSetup> => {
    const { bench, service } = await benchAndService()
    const named = underName(service)
    const users = createRouterUsers(() => bench.port(service))
    const { folder } = bench
    return {
      ...users,
      router: named.router(bench.plane.router),
      listen: { host: '127.0.0.1', port: 0 },
      tolerance: TOLERANCE,
      differs: { 'plain-on-tls': 'HAProxy closes what does not begin with a TLS handshake, without a word' },
      second: async () => named.router(bench.newPlane().router),
      killedIn: (routes, afterMs) =>
        callAndKill(
          { module: FIXTURE, make: 'createRouter', options: { folder } },
          named.routes(routes),
          afterMs,
        ),
      edit: async (weights) => {
        const slots = (await bench.state(service)).sets.map(({ release }, slot) => ({ release, slot }))
        const map = mapOf(service)
        await bench.byHand(`clear map ${map}`)
        let from = 0
        for (const { release, slot } of slots) {
          const to = from + (weights[release] ?? 0)
          await bench.byHand(`add map ${map} ${from}:${to - 1} ${slotOf(service, slot)}`)
          from = to
        }
      },
      reload: async () => {
        const before = await bench.workerPid()
        await bench.ask('reload')
        await until('a new worker', async () => (await bench.workerPid()) !== before)
      },
      async turnedAway() {
        const answer = await fetch(`http://127.0.0.1:${await bench.port(service)}/`)
        return { status: answer.status, retryAfter: answer.headers.get('retry-after') }
      },
      counts: named.counts(bench.plane.counts),
      async cleanup() {
        await users.cleanup()
        unwrap(await bench.plane.router.finalize({ service, token: LAST }))
      },
    }
  })

  metricConformance('haproxy-log', async (): Promise<MetricSetup> => {
    const { bench, service } = await benchAndService()
    const instance = await bench.startInstance('v1', (req, res) => {
      res.statusCode = req.url === '/fail' ? 500 : 200
      res.end('v1')
    })
    unwrap(await bench.plane.router.setRoutes(routesOf([{ ports: [instance.port] }], 1, { service })))
    const port = await bench.port(service)
    return {
      metrics: bench.plane.counts,
      service,
      async serve({ good, failing }) {
        for (let turn = 0; turn < good; turn += 1) await call({ port, agent: bench.agent })
        for (let turn = 0; turn < failing; turn += 1) await call({ port, path: '/fail', agent: bench.agent })
      },
      async cutOff() {
        process.kill(await bench.masterPid(), 'SIGKILL')
      },
      async cleanup() {
        await instance.origin.close()
        if ((await bench.plane.router.readState(service)).kind === 'ok')
          unwrap(await bench.plane.router.finalize({ service, token: LAST }))
      },
    }
  })
})
