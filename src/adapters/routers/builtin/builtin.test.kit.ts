import type { Result } from '../../../core/shared/result.ts'
import type { Router } from '../../../ports/router.ts'
import { makeProxy } from '../../../proxy/proxy-process.test.kit.ts'
import { eventually, type RouterSetup } from '../../../testkit/conformance/router/kit.ts'
import { callAndKill, createRouterUsers } from '../../../testkit/servers/router-users.test.kit.ts'
import { createBuiltinMetricSource } from '../../metrics/builtin/metric.ts'
import { createBuiltinRouter } from './router.ts'

const MODULE = new URL('./router.ts', import.meta.url).href

/** A router under test whose proxy serves with so many processes. */
export async function builtinSetup({ processes }: { processes: number }): Promise<RouterSetup> {
  const proxy = await makeProxy({}, ['--workers', `${processes}`])
  await proxy.workers()
  const { socket } = proxy
  const users = createRouterUsers(() => proxy.port())
  const options = { socket, startProxy: () => proxy.start() }
  return {
    ...users,
    router: followed(createBuiltinRouter(options)),
    listen: { host: '127.0.0.1', port: 0 },
    // Each process deals blocks of its own. With two begun ones, 1,000 requests are off by 11 as a rule and by 70 never.
    tolerance: processes === 1 ? 0 : 70,
    second: async () => followed(createBuiltinRouter(options)),
    killedIn: (routes, afterMs) =>
      callAndKill({ module: MODULE, make: 'createBuiltinRouter', options: { socket } }, routes, afterMs),
    async turnedAway() {
      const answer = await fetch(`http://127.0.0.1:${await proxy.port()}/`)
      return { status: answer.status, retryAfter: answer.headers.get('retry-after') }
    },
    // Another process of the program takes its place.
    async reload() {
      const { status, body } = await proxy.upgrade()
      if (status !== 200) throw new Error(JSON.stringify(body))
    },
    counts: createBuiltinMetricSource({ socket, now: Date.now }),
    async cleanup() {
      await users.cleanup()
      await proxy.remove()
    },
  }
}

/** A process that was replaced takes its time to follow: everything is asked for again then, as the engine does. */
function followed(router: Router): Router {
  const again = <T>(ask: () => Promise<Result<T>>): Promise<Result<T>> =>
    eventually('all processes follow', async () => {
      const done = await ask()
      return done.kind === 'failed' && done.problem.code === 'ROUTES_NOT_FOLLOWED' ? null : done
    })
  return {
    ...router,
    setRoutes: (routes) => again(() => router.setRoutes(routes)),
    finalize: (request) => again(() => router.finalize(request)),
    readState: (service) => again(() => router.readState(service)),
  }
}
