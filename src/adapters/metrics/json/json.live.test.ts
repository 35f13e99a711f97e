import { describe, expect, it } from 'vitest'
import type { JsonQuery } from '../../../core/shared/metric-definition.ts'
import { metricProviderConformance, type Put } from '../../../testkit/conformance/metric-provider.ts'
import { metricOf } from '../../../testkit/metric-definition.test.kit.ts'
import { startTroubleServer } from '../../../testkit/servers/trouble-server.test.kit.ts'
import { createHttpClient } from '../../http/undici/http.ts'
import { createJsonProvider } from './json.ts'

const SECRET = 'a/very+secret=key'
const secretOf = (name: string) => (name === 'SHOP_KEY' ? SECRET : null)
const HEADERS: JsonQuery['headers'] = [{ kind: 'secret', name: 'X-Api-Key', secret: 'SHOP_KEY', prefix: '' }]

type Row = { version: string; at: number; numbers: Put }

/** What a shop may tell about itself; moments come in seconds. */
function numbersOf(rows: readonly Row[], url: URL): unknown {
  const [from, to] = ['from', 'to'].map((name) => Number(url.searchParams.get(name)) * 1000)
  const chosen = rows.filter(
    ({ version, at, numbers }) =>
      version === url.searchParams.get('version') &&
      numbers.kind === url.searchParams.get('kind') &&
      at >= (from ?? 0) &&
      at < (to ?? 0),
  )
  if (chosen.length === 0) return { result: null }
  const [first] = chosen
  if (first?.numbers.kind === 'histogram') {
    const { counts } = first.numbers
    return { result: { buckets: [0.1, 0.5, 1, '+Inf'].map((le, index) => ({ le, count: counts[index] })) } }
  }
  const sums: Record<string, number> = {}
  for (const { numbers } of chosen)
    for (const [key, value] of Object.entries(numbers))
      if (typeof value === 'number') sums[key] = (sums[key] ?? 0) + value
  return { result: sums }
}

metricProviderConformance('json', async () => {
  const rows: Row[] = []
  const server = await startTroubleServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://shop')
    if (request.headers['x-api-key'] !== SECRET) return void response.writeHead(401).end()
    const fixed = url.searchParams.get('say')
    // Whatever it says, it may repeat what it was told.
    response.end(fixed?.replace('THE KEY', SECRET) ?? JSON.stringify(numbersOf(rows, url)))
  })
  const query = (path: string, parts: JsonQuery['parts']): JsonQuery => ({
    provider: 'json',
    url: `${server.address}${path}`,
    method: 'GET',
    body: null,
    parts,
    headers: HEADERS,
  })
  const own = (kind: string) => `/numbers?version={{version}}&from={{from}}&to={{to}}&kind=${kind}`
  const ratio = { bad: '$.result.bad', total: '$.result.total' }
  const at = (path: string) => () => metricOf('ratio', query(path, ratio))
  const saying = (text: string) => at(`/numbers?say=${encodeURIComponent(text)}`)
  return {
    provider: createJsonProvider({ http: createHttpClient(), secretOf }),
    subject: { service: 'shop', environment: 'local' },
    metric: {
      ratio: metricOf('ratio', query(own('ratio'), ratio)),
      rate: metricOf(
        'rate',
        query(own('rate'), { events: '$.result.events', exposure: '$.result.exposure' }),
      ),
      histogram: metricOf('histogram', query(own('histogram'), { buckets: '$.result.buckets[*]' })),
      value: metricOf('value', query(own('value'), { value: '$.result.value' })),
    },
    put: async (version, numbers) => {
      const now = Date.now()
      rows.push({ version, at: now, numbers })
      return { fromMs: now - 1500, toMs: now + 500 }
    },
    putAt: async (version, moment, numbers) => void rows.push({ version, at: moment, numbers }),
    reset: { skip: 'the source gives numbers of a window, no running counters' },
    trouble: {
      unreachable: () => metricOf('ratio', { ...query('', ratio), url: 'http://127.0.0.1:1/numbers' }),
      timeout: () => metricOf('ratio', query('/timeout', ratio), { timeoutMs: 300 }),
      unauthorized: at('/401'),
      rateLimited: at('/429'),
      tooLarge: at('/large'),
      redirected: at('/redirect'),
      severalSeries: () =>
        metricOf(
          'ratio',
          query(`/numbers?say=${encodeURIComponent('{"bad":["THE KEY",2],"total":9}')}`, {
            bad: '$.bad[*]',
            total: '$.total',
          }),
        ),
      refused: () => metricOf('ratio', query('/numbers?say=1', { bad: '$.[', total: '$' })),
      unreadable: at('/unreadable'),
      missingSecret: () =>
        metricOf('ratio', {
          ...query('/', ratio),
          headers: [{ kind: 'basic', user: 'sluice', secret: 'NOBODY_SET_IT' }],
        }),
      nan: saying('{"result":{"bad":"NaN","total":5}}'),
      infinity: saying('{"result":{"bad":1,"total":1e999}}'),
      negative: saying('{"result":{"bad":-1,"total":5}}'),
    },
    secrets: [SECRET, encodeURIComponent(SECRET)],
    dispose: server.close,
  }
})

describe('the JSON provider', () => {
  it('puts values into address, body and path without letting them out of the text they stand in', async () => {
    const seen: string[] = []
    const server = await startTroubleServer((request, response, body) => {
      seen.push(
        `${request.method} ${request.url}`,
        body,
        `${request.headers['content-type']} ${request.headers.authorization}`,
      )
      response.end('{"by":{"a \\"b\\"&c":{"bad":1,"total":"20"}}}')
    })
    const parts = { bad: '$.by["{{version}}"].bad', total: '$["by"]["{{version}}"].total' }
    const query: JsonQuery = {
      provider: 'json',
      url: `${server.address}/q?v={{version}}`,
      method: 'POST',
      body: '{"version": "{{version}}", "from": {{fromMs}}}',
      parts,
      headers: [{ kind: 'basic', user: 'sluice', secret: 'SHOP_KEY' }],
    }
    const reading = await createJsonProvider({ http: createHttpClient(), secretOf }).sample({
      metric: metricOf('ratio', query),
      subject: { service: 'shop', environment: 'local', version: 'a "b"&c', release: null },
      window: { fromMs: 1500, toMs: 2500 },
    })
    await server.close()
    expect(reading).toMatchObject({ kind: 'sample', sample: { bad: 1, total: 20 } })
    expect(seen).toEqual([
      'POST /q?v=a%20%22b%22%26c',
      '{"version": "a \\"b\\"&c", "from": 1500}',
      `application/json Basic ${Buffer.from(`sluice:${SECRET}`).toString('base64')}`,
    ])
  })

  it('takes half an answer for no data, and says what is missing', async () => {
    const server = await startTroubleServer((_, response) => response.end('{"total": 120}'))
    const parts = { bad: '$.bad', total: '$.total' }
    const query: JsonQuery = {
      provider: 'json',
      url: server.address,
      method: 'GET',
      body: null,
      parts,
      headers: [],
    }
    const reading = await createJsonProvider({ http: createHttpClient(), secretOf }).sample({
      metric: metricOf('ratio', query),
      subject: { service: 'shop', environment: 'local', version: '1', release: null },
      window: { fromMs: 0, toMs: 1000 },
    })
    await server.close()
    expect(reading).toMatchObject({
      kind: 'no-data',
      reason: expect.stringContaining('nothing for bad, while total is 120'),
    })
  })
})
