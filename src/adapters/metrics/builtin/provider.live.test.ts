import { describe, expect, it } from 'vitest'
import { LATENCY_BOUNDS_MS } from '../../../core/shared/histogram.ts'
import type { BuiltinQuery } from '../../../core/shared/metric-definition.ts'
import type { ServiceCounts, TrafficCounts } from '../../../core/shared/traffic-counts.ts'
import type { MetricAnswer } from '../../../ports/metric.ts'
import { call, makeOrigin, makeProxy, routesOf } from '../../../proxy/proxy-process.test.kit.ts'
import { metricProviderConformance } from '../../../testkit/conformance/metric-provider.ts'
import { metricOf } from '../../../testkit/metric-definition.test.kit.ts'
import { trafficOf } from '../../../testkit/traffic.ts'
import { createBuiltinMetricSource } from './metric.ts'
import { createBuiltinProvider } from './provider.ts'

const STREAM = 'shop.local'
const SUBJECT = { service: 'shop', environment: 'local' }
const ERRORS: BuiltinQuery = { provider: 'builtin', route: null, count: 'errors' }
const releaseOf = (version: string): string => `${version}-0123456789`

metricProviderConformance('builtin', async () => {
  const proxy = await makeProxy()
  const origin = await makeOrigin((req, res) => {
    res.statusCode = req.url === '/failing' ? 500 : 200
    res.end()
  })
  let sequence = 0
  const route = async (version: string) => {
    sequence += 1
    await proxy.setRoutes(
      routesOf([{ release: releaseOf(version), ports: [origin.port] }], sequence, { service: STREAM }),
    )
    return proxy.port(STREAM)
  }
  const counted = async (version: string) =>
    (await proxy.counts(STREAM)).releases.find(({ release }) => release === releaseOf(version))?.total
      .requests ?? 0
  const send = async (version: string, requests: { good: number; failing: number }) => {
    const port = await route(version)
    const wanted = (await counted(version)) + requests.good + requests.failing
    for (let turn = 0; turn < requests.good; turn += 1) await call({ port, path: '/' })
    for (let turn = 0; turn < requests.failing; turn += 1) await call({ port, path: '/failing' })
    await expect.poll(() => counted(version)).toBe(wanted)
  }
  const provider = createBuiltinProvider({
    source: createBuiltinMetricSource({ socket: proxy.socket, now: Date.now }),
  })
  const dead = createBuiltinProvider({
    source: createBuiltinMetricSource({ socket: '/nowhere.sock', now: Date.now }),
  })
  const metric = metricOf('ratio', ERRORS)
  return {
    // A metric that is named so is asked where no data plane is.
    provider: {
      ...provider,
      sample: (request) => (request.metric.name === 'away' ? dead : provider).sample(request),
    },
    subject: SUBJECT,
    metric: {
      ratio: metric,
      rate: metricOf('rate', ERRORS),
      histogram: { skip: 'latency cannot be put; a test of its own follows' },
      value: { skip: 'the data plane counts and has no values' },
    },
    put: async (version, numbers) => {
      const [bad, all] =
        numbers.kind === 'ratio'
          ? [numbers.bad, numbers.total]
          : numbers.kind === 'rate'
            ? [numbers.events, numbers.exposure]
            : [0, 0]
      await route(version)
      // Zero is of a version that the data plane knows.
      if (all === 0) await send(version, { good: 1, failing: 0 })
      const fromMs = Date.now()
      await provider.sample({
        metric,
        subject: { ...SUBJECT, version, release: null },
        window: { fromMs, toMs: fromMs },
      })
      await send(version, { good: all - bad, failing: bad })
      return { fromMs, toMs: Date.now() }
    },
    putAt: { skip: 'requests are counted when they happen' },
    reset: async (version) => {
      await send(version, { good: 5, failing: 5 })
      const fromMs = Date.now()
      await provider.sample({
        metric,
        subject: { ...SUBJECT, version, release: null },
        window: { fromMs, toMs: fromMs },
      })
      proxy.kill('SIGKILL')
      await proxy.exit
      await proxy.start()
      await send(version, { good: 1, failing: 1 })
      return { window: { fromMs, toMs: Date.now() }, atLeast: 1 }
    },
    trouble: {
      unreachable: () => ({ ...metric, name: 'away' }),
      timeout: { skip: 'the data plane answers from memory, with a deadline of its own' },
      unauthorized: { skip: 'the socket belongs to us' },
      rateLimited: { skip: 'the data plane has no limit for us' },
      tooLarge: { skip: 'the report of the data plane is bounded' },
      redirected: { skip: 'the data plane does not redirect' },
      severalSeries: { skip: 'releases of one version are added up' },
      refused: { skip: 'there is no query' },
      unreadable: { skip: 'the report is ours' },
      missingSecret: { skip: 'there are no secrets' },
      nan: { skip: 'counts are whole numbers' },
      infinity: { skip: 'counts are whole numbers' },
      negative: { skip: 'counts are whole numbers' },
    },
    secrets: [],
    dispose: async () => {
      await proxy.remove()
      await origin.close()
    },
  }
})

describe('the builtin provider', () => {
  type Release = {
    version: string
    total: Partial<TrafficCounts>
    routes?: Record<string, Partial<TrafficCounts>>
  }
  const countsOf = (releases: Release[]): ServiceCounts => ({
    service: STREAM,
    boot: 'b',
    unroutable: 0,
    refused: 0,
    releases: releases.map(({ version, total, routes = {} }) => ({
      release: releaseOf(version),
      total: trafficOf(total),
      routes: Object.fromEntries(Object.entries(routes).map(([name, of]) => [name, trafficOf(of)])),
    })),
  })
  /** Looks at these moments; the last question is answered. */
  const looking = async (
    looks: { at: number; releases: Release[] }[],
    of: { query?: BuiltinQuery; kind?: 'ratio' | 'histogram'; bounds?: number[]; window: [number, number] },
  ) => {
    const answers: MetricAnswer[] = looks.map(({ at, releases }) => ({
      kind: 'samples',
      at,
      counts: countsOf(releases),
    }))
    const provider = createBuiltinProvider({
      source: { kind: 'test', query: async () => answers.shift() ?? { kind: 'no-data', at: 0 } },
    })
    const request = {
      metric: metricOf(
        of.kind ?? 'ratio',
        of.query ?? ERRORS,
        of.bounds === undefined ? {} : { bounds: of.bounds },
      ),
      subject: { ...SUBJECT, version: '1.4.0', release: null },
      window: { fromMs: of.window[0], toMs: of.window[1] },
    }
    for (const _ of looks.slice(1)) await provider.sample(request)
    return provider.sample(request)
  }
  const total = (requests: number, errors = 0): Release[] => [
    { version: '1.4.0', total: { requests, errors } },
  ]

  it('gives windows that follow each other, without counting a request twice', async () => {
    const looks = [
      { at: 1000, releases: total(10, 1) },
      { at: 2010, releases: total(30, 2) },
      { at: 3015, releases: total(70, 5) },
    ]
    expect(await looking(looks.slice(0, 2), { window: [1000, 2000] })).toMatchObject({
      sample: { bad: 1, total: 20 },
      covered: { fromMs: 1000, toMs: 2010 },
    })
    expect(await looking(looks, { window: [2000, 3000] })).toMatchObject({
      sample: { bad: 3, total: 40 },
      covered: { fromMs: 2010, toMs: 3015 },
    })
  })

  it('reads one class of routes, and does not take a class that it cannot tell for zero', async () => {
    const query: BuiltinQuery = { provider: 'builtin', route: 'POST /checkout', count: 'errors' }
    const look = (at: number, requests: number, other: boolean) => ({
      at,
      releases: [
        {
          version: '1.4.0',
          total: { requests: 10 * requests },
          routes: other ? { other: { requests } } : { 'POST /checkout': { requests, errors: requests / 2 } },
        },
      ],
    })
    const window: [number, number] = [0, 2]
    expect(await looking([look(1, 10, false), look(2, 30, false)], { query, window })).toMatchObject({
      sample: { bad: 10, total: 20 },
    })
    expect(await looking([look(1, 10, true), look(2, 30, true)], { query, window })).toMatchObject({
      kind: 'no-data',
    })
  })

  it('gives the latency over the bounds that were chosen', async () => {
    const buckets = (each: number) => LATENCY_BOUNDS_MS.map(() => each).concat(each)
    const look = (at: number, each: number) => ({
      at,
      releases: [{ version: '1.4.0', total: { requests: 23 * each, latencyBuckets: buckets(each) } }],
    })
    const reading = await looking([look(1, 1), look(2, 3)], {
      kind: 'histogram',
      bounds: [100, 1000],
      window: [0, 2],
    })
    expect(reading).toMatchObject({
      sample: { kind: 'histogram', bounds: [100, 1000], counts: [18, 14, 14] },
    })
  })
})
