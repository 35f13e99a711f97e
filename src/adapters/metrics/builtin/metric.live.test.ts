import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  call,
  makeOrigin,
  makeProxy,
  type ProxyProcess,
  routesOf,
} from '../../../proxy/proxy-process.test.kit.ts'
import { createBuiltinMetricSource } from './metric.ts'

describe('builtin metric source', () => {
  let proxy: ProxyProcess
  beforeEach(async () => {
    proxy = await makeProxy()
  })
  afterEach(async () => {
    await proxy.remove()
  })

  it('tells samples, no data and failure apart', async () => {
    const metric = createBuiltinMetricSource({ socket: proxy.socket, now: () => 5 })
    expect(await metric.query('shop')).toEqual({ kind: 'no-data', at: 5 })
    const origin = await makeOrigin()
    const port = await proxy.setRoutes(routesOf([{ ports: [origin.port] }], 1))
    await call({ port })
    const samples = await metric.query('shop')
    expect(samples.kind === 'samples' && samples.counts.releases[0]?.total.requests).toBe(1)
    proxy.kill('SIGKILL')
    await proxy.exit
    const failure = await metric.query('shop')
    expect(failure.kind === 'failure' && failure.problem.code).toBe('COUNTS_UNREADABLE')
    await origin.close()
  })
})
