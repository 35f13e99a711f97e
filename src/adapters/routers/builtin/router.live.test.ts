import { afterEach, describe, expect, it } from 'vitest'
import { makeProxy, type ProxyProcess } from '../../../proxy/proxy-process.test.kit.ts'
import { routerConformance } from '../../../testkit/conformance/router.ts'
import { builtinSetup } from './builtin.test.kit.ts'
import { createBuiltinRouter } from './router.ts'

routerConformance('builtin', () => builtinSetup({ processes: 1 }))

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
