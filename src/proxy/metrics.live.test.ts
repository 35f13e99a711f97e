import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  call,
  makeOrigin,
  makeProxy,
  named,
  type Origin,
  type ProxyProcess,
  routesOf,
  until,
} from './proxy-process.test.kit.ts'

let proxy: ProxyProcess
const origins: Origin[] = []
const origin = async (...args: Parameters<typeof makeOrigin>): Promise<Origin> => {
  const made = await makeOrigin(...args)
  origins.push(made)
  return made
}
beforeAll(async () => {
  proxy = await makeProxy()
})
afterAll(async () => {
  await proxy.remove()
  for (const made of origins) await made.close()
})

const scrape = async (accept = '') =>
  await call({ socketPath: proxy.socket, path: '/metrics', headers: { accept } })

describe('the numbers of the proxy', () => {
  it('are those that it counts for the analysis, by version', async () => {
    const good = await origin(named('good'))
    const bad = await origin((_, res) => void res.writeHead(500).end())
    let sequence = 0
    const split = (weight: number) => {
      const sets = [
        { release: 'v1', weight: 1_000 - weight, ports: [good.port] },
        { release: 'v2', weight, ports: [bad.port] },
      ]
      sequence += 1
      return proxy.setRoutes(routesOf(sets, sequence))
    }
    // Not by a draw: each version gets a number of requests that is known.
    for (const [weight, requests] of [
      [0, 12],
      [1_000, 8],
    ] as const) {
      const to = await split(weight)
      await Promise.all(Array.from({ length: requests }, () => call({ port: to })))
    }
    const port = await split(500)
    await call({ port, headers: { 'sluice-probe': 'probe-secret' } })
    const totals = async () => (await proxy.counts()).releases.map(({ total }) => total)
    await until('all are counted', async () => {
      return (await totals()).reduce((sum, { requests }) => sum + requests, 0) === 20
    })
    const [first, second] = await totals()
    const { text, series } = numbersOf((await scrape()).body)
    const one = 'stream="shop",version="v1"'
    const two = 'stream="shop",version="v2"'
    expect([first?.requests, second?.requests]).toEqual([12, 8])
    expect(series.get(`sluice_proxy_requests_total{${one},status="2xx"}`)).toBe(first?.status['2xx'])
    expect(series.get(`sluice_proxy_requests_total{${two},status="5xx"}`)).toBe(second?.status['5xx'])
    expect(series.get(`sluice_proxy_request_duration_seconds_count{${one}}`)).toBe(first?.requests)
    expect(series.get(`sluice_proxy_request_duration_seconds_bucket{${one},le="+Inf"}`)).toBe(first?.requests)
    expect(series.get(`sluice_proxy_request_duration_seconds_sum{${one}}`)).toBeGreaterThan(0)
    expect(series.get(`sluice_proxy_weight_ratio{${two}}`)).toBe(0.5)
    expect(series.get(`sluice_proxy_listening{stream="shop"}`)).toBe(1)
    expect(text).not.toContain('release')
    expect((await scrape('application/openmetrics-text')).body.endsWith('# EOF\n')).toBe(true)
  })
})

describe('watchers', () => {
  it('are answered, and are no sign that a controller lives', async () => {
    const [one, two] = [await origin(named('one')), await origin(named('two'))]
    const sets = [
      { release: 'v1', weight: 500, ports: [one.port] },
      { release: 'v2', weight: 500, ports: [two.port] },
    ]
    await proxy.setRoutes(routesOf(sets, 4, { onControllerLoss: { kind: 'revert', afterMs: 700 } }))
    await until('traffic is back on stable, although somebody watches', async () => {
      for (const path of ['/healthz', '/readyz'])
        expect((await call({ socketPath: proxy.socket, path })).status).toBe(200)
      return numbersOf((await scrape()).body).series.get('sluice_proxy_reverted{stream="shop"}') === 1
    })
  })

  it('learn that an address cannot be listened on', async () => {
    const one = await origin(named('one'))
    const port = await proxy.setRoutes(routesOf([{ ports: [one.port] }], 5))
    proxy.kill('SIGKILL')
    await proxy.exit
    const squatter = await makeOrigin()
    await squatter.close()
    await new Promise<void>((resolve) => {
      squatter.server.listen(port, '127.0.0.1', () => resolve())
    })
    await proxy.start()
    const { status, body } = await call({ socketPath: proxy.socket, path: '/readyz' })
    expect([status, JSON.parse(body)]).toEqual([
      503,
      { ready: false, code: 'LISTEN_FAILED', services: ['shop'] },
    ])
    squatter.server.close()
    await until(
      'ready',
      async () => (await call({ socketPath: proxy.socket, path: '/readyz' })).status === 200,
    )
  })
})

/** Each series with its number. */
function numbersOf(text: string): { text: string; series: Map<string, number> } {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return {
    text,
    series: new Map(
      lines.map((line) => {
        const at = line.lastIndexOf(' ')
        return [line.slice(0, at), Number(line.slice(at + 1))]
      }),
    ),
  }
}
