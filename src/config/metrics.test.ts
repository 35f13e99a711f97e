import { describe, expect, it } from 'vitest'
import { AnalysisSettings } from '../core/release/analysis-settings.ts'
import { loadConfig } from './load.ts'

const HEAD = `service: shop
run: { command: "node server.js --port {{port}}" }
listen: 127.0.0.1:8080
health: { path: /up }
analysis:
  metrics:
`
const BUILTIN = 'kind: ratio, builtin: {}'
const load = (...metrics: string[]) =>
  loadConfig({
    file: '/srv/sluice.yaml',
    text: `${HEAD}${metrics.map((metric) => `    - { ${metric} }\n`).join('')}`,
  })

function metricsOf(...metrics: string[]) {
  const loaded = load(...metrics)
  if (loaded.kind === 'failed') throw new Error(loaded.problem.map(({ message }) => message).join('\n'))
  return loaded.value.services[0]?.analysis.metrics ?? []
}
function problemsOf(...metrics: string[]) {
  const loaded = load(...metrics)
  return loaded.kind === 'failed' ? loaded.problem : []
}

describe('metrics in the file', () => {
  it('are none by default', () => {
    const loaded = loadConfig({ file: 'sluice.yaml', text: HEAD.slice(0, HEAD.indexOf('analysis:')) })
    expect(loaded.kind === 'ok' && loaded.value.services[0]?.analysis.metrics).toEqual([])
  })

  it('have defaults that pause and never roll back', () => {
    expect(metricsOf(`name: errors, ${BUILTIN}`)).toEqual([
      {
        name: 'errors',
        measure: {
          kind: 'ratio',
          direction: 'more-is-worse',
          tolerance: { ratio: 1, points: 0.1 },
          notice: { points: 1 },
        },
        query: { provider: 'builtin', route: null, count: 'errors' },
        tier: 'warning',
        everyMs: 30_000,
        delayMs: 0,
        timeoutMs: 5000,
        badValues: 'failure',
        noData: { afterMs: 300_000, policy: 'hold' },
        trouble: { failures: 5, retryMs: 2000, policy: 'hold' },
      },
    ])
  })

  it('name secrets, and send them as the provider wants', () => {
    const auth = 'token: TOKEN, headers: { X-Tenant: shop, X-Api-Key: { secret: KEY } }'
    const [prometheus, json] = metricsOf(
      `name: a, kind: value, prometheus: { address: "http://x:9090/prom", value: up, ${auth} }`,
      'name: b, kind: value, json: { url: "https://x/{{version}}", value: $.x, user: me, password: PASSWORD, body: "{}" }',
    )
    expect(prometheus?.query).toMatchObject({
      address: 'http://x:9090/prom',
      headers: [
        { kind: 'plain', name: 'X-Tenant', value: 'shop' },
        { kind: 'secret', name: 'X-Api-Key', secret: 'KEY', prefix: '' },
        { kind: 'secret', name: 'Authorization', secret: 'TOKEN', prefix: 'Bearer ' },
      ],
    })
    expect(json?.query).toMatchObject({
      method: 'POST',
      headers: [{ kind: 'basic', user: 'me', secret: 'PASSWORD' }],
    })
  })

  it('find a SQLite file relative to the configuration, and take all bounds of the data plane', () => {
    const [sql, latency] = metricsOf(
      'name: a, kind: value, sql: { file: ./data/shop.db, query: select 1 }',
      'name: b, kind: histogram, builtin: { route: POST /checkout }',
    )
    expect(sql?.query).toMatchObject({ database: { kind: 'sqlite', file: '/srv/data/shop.db' } })
    expect(latency?.measure).toMatchObject({
      kind: 'histogram',
      bounds: expect.arrayContaining([1, 1000, 30_000]),
    })
  })
})

it('releases that were made before there were metrics have none', () => {
  const loaded = load(`name: a, ${BUILTIN}`)
  const settings = loaded.kind === 'ok' ? loaded.value.services[0] : undefined
  const { metrics: _metrics, ...old } = settings?.analysis ?? { metrics: [] }
  expect(AnalysisSettings.parse(old).metrics).toEqual([])
})

describe('a metric that cannot be', () => {
  const PROMETHEUS = 'address: "http://x"'
  it.each([
    [
      'an unknown provider',
      'name: a, kind: ratio, promethius: {}',
      'CONFIG_UNKNOWN_KEY',
      'unknown key "promethius"',
      'Did you mean "prometheus"?',
    ],
    [
      'no provider',
      'name: a, kind: ratio',
      'CONFIG_MISSING_KEY',
      'does not say where its numbers come from',
      'prometheus, json, sql, command, builtin',
    ],
    [
      'two providers',
      'name: a, kind: ratio, builtin: {}, command: { run: ls }',
      'CONFIG_CONFLICT',
      '[0].builtin stands beside command',
      'two metrics',
    ],
    [
      'an unknown kind',
      'name: a, kind: ratoi, builtin: {}',
      'CONFIG_WRONG_VALUE',
      '"ratoi"',
      'Did you mean "ratio"?',
    ],
    [
      'a missing number',
      `name: a, kind: ratio, prometheus: { ${PROMETHEUS}, bad: x }`,
      'CONFIG_CONFLICT',
      'has no "total"',
      'Add total',
    ],
    [
      'a number of another kind',
      `name: a, kind: value, prometheus: { ${PROMETHEUS}, value: x, bad: x }`,
      'CONFIG_CONFLICT',
      'prometheus.bad does not belong to kind value',
      'value',
    ],
    [
      'an unknown placeholder',
      `name: a, kind: value, prometheus: { ${PROMETHEUS}, value: "x{{verison}}" }`,
      'CONFIG_UNKNOWN_PLACEHOLDER',
      '{{verison}}',
      'Did you mean "version"?',
    ],
    [
      'a password in the address',
      'name: a, kind: value, prometheus: { address: "http://me:pw@x", value: up }',
      'CONFIG_BAD_URL',
      'holds a user name or password',
      'password: NAME_OF_THE_SECRET',
    ],
    [
      'a credential in a header',
      `name: a, kind: value, prometheus: { ${PROMETHEUS}, value: up, headers: { Authorization: Bearer x } }`,
      'CONFIG_SECRET_IN_FILE',
      'headers.Authorization',
      '{ secret: NAME }',
    ],
    [
      'a user alone',
      `name: a, kind: value, prometheus: { ${PROMETHEUS}, value: up, user: me }`,
      'CONFIG_CONFLICT',
      'stands alone',
      'password',
    ],
    [
      'no database',
      'name: a, kind: value, sql: { query: select 1 }',
      'CONFIG_CONFLICT',
      'names no database',
      'file:',
    ],
    [
      'a server address as the file',
      'name: a, kind: value, sql: { file: "postgresql://u:p@h/d", query: select 1 }',
      'CONFIG_BAD_PATH',
      'must be the path of a SQLite file',
      'secret',
    ],
    [
      'a shell',
      'name: a, kind: ratio, command: { run: "ls | wc" }',
      'CONFIG_SHELL_COMMAND',
      'only a shell understands',
      'sh, -c',
    ],
    [
      'a route without a method',
      'name: a, kind: ratio, builtin: { route: checkout }',
      'CONFIG_BAD_ROUTE',
      '"checkout"',
      'POST /checkout',
    ],
    [
      'no bounds',
      'name: a, kind: histogram, sql: { file: x.db, query: select 1 }',
      'CONFIG_CONFLICT',
      'needs bounds',
      'bounds: [0.1',
    ],
    [
      'falling bounds',
      'name: a, kind: histogram, bounds: [1, 0.5], sql: { file: x.db, query: select 1 }',
      'CONFIG_CONFLICT',
      'bounds[1] is 0.5',
      'by size',
    ],
    [
      'bounds that the data plane lacks',
      'name: a, kind: histogram, bounds: [1, 3], builtin: {}',
      'CONFIG_CONFLICT',
      'bounds[1] is 3',
      'Choose from',
    ],
    [
      'a value of the data plane',
      'name: a, kind: value, builtin: {}',
      'CONFIG_CONFLICT',
      'has no values',
      'ratio',
    ],
    [
      'statistics for a value',
      'name: a, kind: value, notice: 1%, command: { run: ls }',
      'CONFIG_CONFLICT',
      'notice does not belong',
      'deviation',
    ],
    [
      'bad windows of counts',
      `name: a, failureLimit: { limit: 2 }, ${BUILTIN}`,
      'CONFIG_CONFLICT',
      'failureLimit belongs to kind value',
      'Remove it',
    ],
    [
      'more bad windows than are looked at',
      'name: a, kind: value, failureLimit: { limit: 4, of: 3 }, command: { run: ls }',
      'CONFIG_CONFLICT',
      'is 4 of the last 3, which is never',
      'at most "of"',
    ],
    [
      'a critical value without a limit',
      'name: a, kind: value, tier: critical, command: { run: ls }',
      'CONFIG_CONFLICT',
      'deviation.critical is off',
      '30%',
    ],
    [
      'a critical limit that only warns',
      'name: a, kind: value, deviation: { critical: 30% }, command: { run: ls }',
      'CONFIG_CONFLICT',
      'the tier is warning',
      'tier: critical',
    ],
    [
      'a rollback for want of data by a warning',
      `name: a, onNoData: { policy: rollback }, ${BUILTIN}`,
      'CONFIG_CONFLICT',
      'is rollback, but the tier is warning',
      'tier: critical',
    ],
    [
      'questions that overtake each other',
      `name: a, every: 2s, ${BUILTIN}`,
      'CONFIG_CONFLICT',
      'every is shorter than the timeout, 5s',
      'timeout',
    ],
  ])('is refused: %s', (_title, metric, code, message, remedy) => {
    const found = problemsOf(metric)
    expect(found, JSON.stringify(found)).toHaveLength(1)
    expect(found[0]).toMatchObject({ code })
    expect(found[0]?.message).toMatch(/^\/srv\/sluice\.yaml:7:\d+: /)
    expect(found[0]?.message).toContain(message)
    expect(found[0]?.remedy).toContain(remedy)
  })

  it('is refused: a name that another one has (S67)', () => {
    expect(problemsOf(`name: a, ${BUILTIN}`, `name: a, ${BUILTIN}`)).toMatchObject([
      { code: 'CONFIG_CONFLICT', message: expect.stringContaining('has a metric twice: a') },
    ])
  })
})
