import { Agent, request } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import {
  call,
  makeOrigin,
  makeProxy,
  type Origin,
  type ProxyProcess,
  until,
} from '../../../proxy/proxy-process.test.kit.ts'
import { type RouterSetup, routerConformance } from '../../../testkit/conformance/router.ts'
import { createBuiltinRouter } from './router.ts'

routerConformance('builtin', async (): Promise<RouterSetup> => {
  const proxy = await makeProxy()
  const origins: Origin[] = []
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const router = createBuiltinRouter({ socket: proxy.socket, startProxy: () => proxy.start() })
  return {
    router,
    listen: { host: '127.0.0.1', port: 0 },
    tolerance: 0,
    async startUpstream(release) {
      const origin = await makeOrigin((req, res) => {
        if (req.url !== '/hold') res.end(release)
      })
      origins.push(origin)
      return { id: `i-${origin.port}`, host: '127.0.0.1', port: origin.port, state: 'active' }
    },
    async send(count) {
      const port = await proxy.port()
      const served: Record<string, number> = {}
      for (let turn = 0; turn < count; turn += 1) {
        const { body } = await call({ port, agent })
        served[body] = (served[body] ?? 0) + 1
      }
      return served
    },
    async hold() {
      const held = request({ port: await proxy.port(), path: '/hold', agent: false })
      const ended = new Promise<void>((resolve) => {
        held.on('response', () => resolve())
        held.on('error', () => resolve())
      })
      held.end()
      await until('the instance has it', () =>
        origins.some((origin) => origin.seen.some((req) => req.url === '/hold')),
      )
      return { ended }
    },
    async cleanup() {
      agent.destroy()
      await proxy.remove()
      for (const origin of origins) await origin.close()
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
