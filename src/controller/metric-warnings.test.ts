import { describe, expect, it } from 'vitest'
import type { MetricQuery } from '../core/shared/metric-definition.ts'
import { metricOf } from '../testkit/metric-definition.test.kit.ts'
import { simulatedSettings } from '../testkit/simulator/settings.ts'
import { longerStages, metricWarnings } from './metric-warnings.ts'

const prometheus = (bad: string, total: string): MetricQuery => ({
  provider: 'prometheus',
  address: 'http://127.0.0.1:9090',
  parts: { bad, total },
  headers: [{ kind: 'secret', name: 'Authorization', secret: 'TOKEN', prefix: 'Bearer ' }],
  partial: 'refuse',
})
const sql = (query: string): MetricQuery => ({
  provider: 'sql',
  database: { kind: 'postgres', secret: 'SHOP_DATABASE_URL' },
  query,
})
const warnings = (query: MetricQuery, secrets: readonly string[] = ['TOKEN', 'SHOP_DATABASE_URL']) =>
  metricWarnings([metricOf('ratio', query)], (name) => (secrets.includes(name) ? 'x' : null))

describe('a stage that is shorter than a critical metric needs', () => {
  const said = (everyMs: number, tier: 'critical' | 'warning') =>
    longerStages(
      simulatedSettings({
        analysis: {
          metrics: [
            { ...metricOf('ratio', { provider: 'builtin', route: null, count: 'errors' }), everyMs, tier },
          ],
        },
      }),
    )

  it('is announced with what it will last', () => {
    expect(said(30_000, 'critical')).toEqual([
      expect.stringContaining('A stage of 10s will last 32s or longer, because the critical metric a-ratio'),
    ])
    expect(said(8000, 'critical')).toEqual([])
    expect(said(30_000, 'warning')).toEqual([])
  })
})

describe('the warnings about declared metrics', () => {
  it('are none for a metric that can be asked and tells versions apart', () => {
    expect(warnings(prometheus('a{v="{{version}}"}', 'b{r="{{release}}"}'))).toEqual([])
    expect(warnings(sql('SELECT 1 AS bad, 2 AS total WHERE version = :version'))).toEqual([])
    expect(warnings({ provider: 'command', command: ['count'], secrets: [] })).toEqual([])
    expect(warnings({ provider: 'builtin', route: null, count: 'errors' })).toEqual([])
  })

  it('name a secret that is not set, and where it belongs', () => {
    const [warning] = warnings(prometheus('a{v="{{version}}"}', 'b{v="{{version}}"}'), [])
    expect(warning).toContain('The secret TOKEN of the metric a-ratio is not set.')
    expect(warning).toContain('.sluice/secrets.env')
  })

  it.each([
    ['one of the expressions of Prometheus', prometheus('a{v="{{version}}"}', 'sum(b)')],
    ['the query of a database', sql('SELECT 1 AS bad, 2 AS total')],
    [
      'an address',
      {
        provider: 'json',
        url: 'http://x/',
        method: 'GET',
        body: null,
        parts: { bad: '$.a', total: '$.b' },
        headers: [],
      },
    ] as const,
  ])('say so when %s names no version', (_name, query) => {
    expect(warnings(query as MetricQuery)).toEqual([
      expect.stringContaining('The metric a-ratio asks for both versions with the same words'),
    ])
  })
})
