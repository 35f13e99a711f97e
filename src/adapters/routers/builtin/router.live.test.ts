import { afterEach, describe, expect, it } from 'vitest'
import { makeProxy, type ProxyProcess } from '../../../proxy/proxy-process.test.kit.ts'
import type { RouterSetup } from '../../../testkit/conformance/router/kit.ts'
import { routerConformance } from '../../../testkit/conformance/router.ts'
import { callAndKill, createRouterUsers } from '../../../testkit/servers/router-users.test.kit.ts'
import { createBuiltinMetricSource } from '../../metrics/builtin/metric.ts'
import { createBuiltinRouter } from './router.ts'

const MODULE = new URL('./router.ts', import.meta.url).href

routerConformance('builtin', async (): Promise<RouterSetup> => {
  const proxy = await makeProxy()
  const { socket } = proxy
  const users = createRouterUsers(() => proxy.port())
  const options = { socket, startProxy: () => proxy.start() }
  return {
    ...users,
    router: createBuiltinRouter(options),
    listen: { host: '127.0.0.1', port: 0 },
    tolerance: 0,
    second: async () => createBuiltinRouter(options),
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
})

describe('builtin router', () => {
  let proxy: ProxyProcess
  afterEach(async () => {
    await proxy.remove()
  })

  it('starts the proxy when it does not answer, once for two callers', async () => {
    proxy = await makeProxy()
    proxy.kill('SIGKILL')
    await proxy.exit
    let starts = 0
    const startProxy = async () => {
      starts += 1
      proxy.start().catch(() => undefined)
    }
    const router = createBuiltinRouter({ socket: proxy.socket, startProxy })
    expect((await router.readState('shop')).kind).toBe('failed')
    const results = await Promise.all([router.reconcile(), router.reconcile()])
    expect(results.map(({ kind }) => kind)).toEqual(['ok', 'ok'])
    expect(starts).toBe(1)
  })

  it('says that the proxy is unreachable and that it is worth a retry', async () => {
    proxy = await makeProxy()
    const router = createBuiltinRouter({
      socket: `${proxy.folder}/nobody.sock`,
      startProxy: () => Promise.reject(new Error('no such program')),
    })
    const result = await router.reconcile()
    expect(result.kind === 'failed' && [result.problem.code, result.problem.retryable]).toEqual([
      'ROUTER_UNREACHABLE',
      true,
    ])
  })
})
