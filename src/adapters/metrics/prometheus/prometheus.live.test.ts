import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { PrometheusQuery } from '../../../core/shared/metric-definition.ts'
import { metricProviderConformance, type Put } from '../../../testkit/conformance/metric-provider.ts'
import { metricOf } from '../../../testkit/metric-definition.test.kit.ts'
import {
  prometheusMissing,
  SCRAPE_MS,
  startPrometheus,
} from '../../../testkit/servers/prometheus.test.kit.ts'
import { startTroubleServer } from '../../../testkit/servers/trouble-server.test.kit.ts'
import { createHttpClient } from '../../http/undici/http.ts'
import { createPrometheusProvider } from './prometheus.ts'

const SECRET = 'glsa_secret.token=='
const secretOf = (name: string) => (name === 'PROMETHEUS_TOKEN' ? SECRET : null)
const provider = createPrometheusProvider({ http: createHttpClient(), secretOf })
const SUBJECT = { service: 'shop', environment: 'local' }
/** Between two changes, so that each one is seen in several scrapes. */
const SETTLE_MS = 15 * SCRAPE_MS

const queryOf = (address: string, parts: PrometheusQuery['parts']): PrometheusQuery => ({
  provider: 'prometheus',
  address,
  parts,
  headers: [{ kind: 'secret', name: 'Authorization', secret: 'PROMETHEUS_TOKEN', prefix: 'Bearer ' }],
  partial: 'refuse',
})

/** A service that shows its numbers: one family for each part, a histogram, a gauge. */
function exposition(numbers: ReadonlyMap<string, Put>): string {
  return [...numbers]
    .flatMap(([version, put]) => {
      const label = `version="${version}"`
      if (put.kind === 'value') return [`shop_value{${label}} ${put.value}`]
      if (put.kind !== 'histogram')
        return Object.entries(put).flatMap(([part, n]) =>
          part === 'kind' ? [] : [`shop_${part}_total{${label}} ${n}`],
        )
      let below = 0
      return put.counts.map((count, index) => {
        below += count
        return `shop_seconds_bucket{${label},le="${['0.1', '0.5', '1', '+Inf'][index]}"} ${below}`
      })
    })
    .join('\n')
    .concat('\n')
}

const zeroOf = (put: Put): Put => {
  switch (put.kind) {
    case 'ratio':
      return { kind: 'ratio', bad: 0, total: 0 }
    case 'rate':
      return { kind: 'rate', events: 0, exposure: 0 }
    case 'histogram':
      return { kind: 'histogram', counts: put.counts.map(() => 0) }
    case 'value':
      return put
  }
}

metricProviderConformance(
  'prometheus',
  async () => {
    const numbers = new Map<string, Put>()
    const service = await startTroubleServer((_, response) => response.end(exposition(numbers)))
    const server = await startPrometheus(service.address.replace('http://', ''))
    const query = (parts: PrometheusQuery['parts']) => queryOf(server.address, parts)
    const increase = (family: string) => `sum(increase(shop_${family}{version="{{version}}"}[{{window}}]))`
    const ratio = { bad: increase('bad_total'), total: increase('total_total') }
    const elsewhere =
      (path: string, timeoutMs = 5000) =>
      () =>
        metricOf('ratio', queryOf(`${service.address}${path}`, ratio), { timeoutMs })
    const instead = (bad: string) => () => metricOf('ratio', query({ bad, total: 'vector(5)' }))
    return {
      provider,
      subject: SUBJECT,
      inexact: 0.3,
      metric: {
        ratio: metricOf('ratio', query(ratio)),
        rate: metricOf(
          'rate',
          query({ events: increase('events_total'), exposure: increase('exposure_total') }),
        ),
        histogram: metricOf(
          'histogram',
          query({
            buckets: `sum by (le) (increase(shop_seconds_bucket{version="{{version}}"}[{{window}}]))`,
          }),
        ),
        // The newest one, also where a single scrape of a busy machine came too late.
        value: metricOf(
          'value',
          query({ value: 'last_over_time(shop_value{version="{{version}}"}[{{window}}])' }),
        ),
      },
      put: async (version, put) => {
        const fromMs = Date.now()
        numbers.set(version, zeroOf(put))
        await delay(SETTLE_MS)
        numbers.set(version, put)
        await delay(SETTLE_MS)
        return { fromMs, toMs: Date.now() }
      },
      putAt: {
        skip: 'Prometheus samples counters at moments of its own; between two samples there is no edge',
      },
      reset: async (version) => {
        const fromMs = Date.now()
        for (const bad of [0, 10, 0, 4]) {
          numbers.set(version, { kind: 'ratio', bad, total: 2 * bad })
          await delay(SETTLE_MS)
        }
        return { window: { fromMs, toMs: Date.now() }, atLeast: 10 }
      },
      trouble: {
        unreachable: () => metricOf('ratio', queryOf('http://127.0.0.1:1', ratio)),
        timeout: elsewhere('/timeout', 300),
        unauthorized: elsewhere('/401'),
        rateLimited: elsewhere('/429'),
        tooLarge: elsewhere('/large'),
        redirected: elsewhere('/redirect'),
        severalSeries: instead(
          'label_replace(vector(1), "a", "1", "", "") or label_replace(vector(2), "a", "2", "", "")',
        ),
        refused: instead('sum('),
        unreadable: instead('up[5m]'),
        missingSecret: () =>
          metricOf('ratio', {
            ...query(ratio),
            headers: [{ kind: 'secret', name: 'Authorization', secret: 'NOBODY_SET_IT', prefix: 'Bearer ' }],
          }),
        nan: instead('vector(0) / vector(0)'),
        infinity: instead('vector(1) / vector(0)'),
        negative: instead('vector(-1)'),
      },
      secrets: [SECRET],
      dispose: async () => {
        await server.dispose()
        await service.close()
      },
    }
  },
  { skip: prometheusMissing },
)

describe('the answers of Prometheus', () => {
  const vector = (...values: [labels: object, value: string][]) => ({
    resultType: 'vector',
    result: values.map(([metric, value]) => ({ metric, value: [1, value] })),
  })
  type Kind = 'ratio' | 'histogram' | 'value'
  const PARTS: Record<Kind, PrometheusQuery['parts']> = {
    ratio: { bad: 'bad', total: 'total' },
    histogram: { buckets: 'buckets' },
    value: { value: 'value' },
  }
  /** What a server says to each query. */
  const asking = async (
    kind: Kind,
    says: Record<string, object>,
    of: { partial?: PrometheusQuery['partial']; status?: number } = {},
  ) => {
    const server = await startTroubleServer((_, response, body) => {
      const said = says[new URLSearchParams(body).get('query') ?? ''] ?? { status: 'success', data: vector() }
      response.writeHead(of.status ?? 200).end(JSON.stringify(said))
    })
    const query = { ...queryOf(server.address, PARTS[kind]), partial: of.partial ?? 'refuse' }
    const reading = await provider.sample({
      metric: metricOf(kind, query),
      subject: { ...SUBJECT, version: '1', release: null },
      window: { fromMs: 0, toMs: 30_000 },
    })
    await server.close()
    return reading
  }
  const good = (data: object, more: object = {}) => ({ status: 'success', data, ...more })

  it('takes a scalar as well as a vector of one', async () => {
    expect(
      await asking('value', { value: good({ resultType: 'scalar', result: [1, '7.5'] }) }),
    ).toMatchObject({
      kind: 'sample',
      sample: { value: 7.5 },
    })
  })

  it.each(
    [
      ['a matrix', { resultType: 'matrix', result: [] }],
      ['a string', { resultType: 'string', result: [1, 'x'] }],
      ['native histogram', { resultType: 'vector', result: [{ metric: {}, histogram: [1, {}] }] }],
      ['no answer of the HTTP API', { resultType: 'table' }],
    ].map(([what, data]) => ({ what, data })),
  )('cannot use $what', async ({ what, data }) => {
    expect(await asking('value', { value: { status: 'success', data } })).toMatchObject({
      kind: 'failure',
      problem: {
        code: 'METRIC_ANSWER_UNREADABLE',
        message: expect.stringContaining(String(what).replace('no answer', 'not an answer')),
      },
    })
  })

  it('takes an absent part for no data, and says how zero is written', async () => {
    expect(await asking('ratio', { total: good(vector([{}, '120'])) })).toMatchObject({
      kind: 'no-data',
      reason: expect.stringMatching(/nothing for bad, while total is 120.*zero/),
    })
  })

  it('refuses an answer with warnings, which may be partial, unless the file accepts them', async () => {
    const says = {
      value: good(vector([{}, '1']), { warnings: ['no store'], infos: ['may not be a counter'] }),
    }
    expect(await asking('value', says)).toMatchObject({
      problem: { code: 'METRIC_PARTIAL', message: expect.stringContaining('no store') },
    })
    expect(await asking('value', says, { partial: 'accept' })).toMatchObject({
      kind: 'sample',
      notes: ['no store', 'may not be a counter'],
    })
  })

  it('names the series of a histogram that was not added up', async () => {
    const reading = await asking('histogram', {
      buckets: good(vector([{ le: '0.1', pod: 'a' }, '1'], [{ le: '0.1', pod: 'b' }, '1'])),
    })
    expect(reading).toMatchObject({
      problem: { code: 'METRIC_SEVERAL_SERIES', message: expect.stringContaining('{pod="a"}; {pod="b"}') },
    })
  })

  it.each([
    [
      'a bound that is not there',
      [
        ['0.1', '1'],
        ['+Inf', '2'],
      ],
      'no bucket up to 0.5; there are 0.1, Infinity',
    ],
    [
      'buckets that shrink',
      [
        ['0.1', '5'],
        ['0.5', '3'],
        ['1', '6'],
        ['+Inf', '6'],
      ],
      'holds 3, fewer than the one before, 5',
    ],
  ] as const)('does not count with %s', async (_title, buckets, words) => {
    const reading = await asking('histogram', {
      buckets: good(vector(...buckets.map(([le, n]): [object, string] => [{ le }, n]))),
    })
    expect(reading).toMatchObject({
      problem: { code: 'METRIC_VALUE_IMPOSSIBLE', message: expect.stringContaining(words) },
    })
  })

  it('asks again later when the server is unwell', async () => {
    const says = { value: { status: 'error', errorType: 'timeout', error: 'query timed out' } }
    expect(await asking('value', says, { status: 503 })).toMatchObject({
      problem: { code: 'METRIC_PROVIDER_UNWELL', cause: 'query timed out', retryable: true },
    })
  })
})
