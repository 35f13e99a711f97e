import { describe, expect, it } from 'vitest'
import type { ServiceSettings } from '../core/release/settings.ts'
import { explainSettings } from './explain.ts'
import { loadConfig } from './load.ts'

const fileWith = (shadow: string, rest = '') => `service: shop
run: { command: node server.js, replicas: 3 }
listen: 8080
health: { path: /up }
strategy: { shadow: ${shadow} }
${rest}
`
const load = (shadow: string, rest?: string) =>
  loadConfig({ file: 'sluice.yaml', text: fileWith(shadow, rest), environment: 'local' })
const problemsIn = (shadow: string, rest?: string) => {
  const result = load(shadow, rest)
  return result.kind === 'failed' ? result.problem : []
}
const problemIn = (shadow: string) => problemsIn(shadow)[0]
function settingsOf(shadow: string, rest?: string): ServiceSettings {
  const result = load(shadow, rest)
  const [settings] = result.kind === 'ok' ? result.value.services : []
  if (settings === undefined) throw new Error(JSON.stringify(result))
  return settings
}

describe('strategy.shadow', () => {
  it('takes its defaults: a tenth of what only asks for ten minutes, then one switch', () => {
    const { strategy, analysis } = settingsOf('{}')
    expect(strategy).toMatchObject({
      kind: 'shadow',
      sharePermille: 100,
      methods: ['GET', 'HEAD'],
      idempotent: [],
      bodies: { kind: 'off' },
      forMs: 600_000,
      criteria: {},
      steps: [{ weightPermille: 1000 }],
      watchMs: 3_600_000,
      holdMs: 30_000,
    })
    expect(analysis.differingPercent).toBe(1)
  })

  it('can be named by one word, and asks nothing of answers in other strategies', () => {
    const text = fileWith('{}').replace('{ shadow: {} }', 'shadow')
    const named = loadConfig({ file: 'sluice.yaml', text, environment: 'local' })
    expect(named.kind === 'ok' && named.value.services[0]?.strategy.kind).toBe('shadow')
    const canary = loadConfig({
      file: 'sluice.yaml',
      text: text.replace('shadow', 'canary'),
      environment: 'local',
    })
    expect(canary.kind === 'ok' && canary.value.services[0]?.analysis).not.toHaveProperty('differingPercent')
  })

  it('reads what is copied, compared and asked, and the steps that follow', () => {
    const compare = 'compare: { body: json, ignore: [requestId, items.*.at], volatile: compare, limit: 0.5% }'
    const copied = 'share: 35%, for: manual, methods: [GET, POST], idempotent: [POST /search/*]'
    const { strategy, analysis } = settingsOf(
      `{ ${copied}, ${compare}, criteria: { errorRate: 1%, p95: 300ms }, canary: quick }`,
    )
    expect(strategy).toMatchObject({
      sharePermille: 350,
      forMs: null,
      methods: ['GET', 'POST'],
      idempotent: [{ method: 'POST', path: '/search/*' }],
      bodies: { kind: 'json', ignore: ['requestId', 'items.*.at'], ignoresVolatile: false },
      criteria: { errorRatePercent: 1, p95Ms: 300 },
      steps: [{ weightPermille: 100 }, { weightPermille: 500 }, { weightPermille: 1000 }],
    })
    expect(analysis.differingPercent).toBe(0.5)
    expect(settingsOf('{ compare: { limit: off } }').analysis).not.toHaveProperty('differingPercent')
  })

  it('copies no requests that write, unless the file declares them idempotent (S41)', () => {
    expect(problemIn('{ methods: [GET, POST, DELETE] }')).toMatchObject({
      code: 'CONFIG_SHADOW_WRITES',
      message: expect.stringContaining(
        'has POST and DELETE, which write: a copied request is made twice, and nothing declares that this does no harm',
      ),
      remedy: expect.stringContaining('idempotent: [POST /search]'),
    })
    expect(problemsIn('{ methods: [PUT], idempotent: [PUT] }')).toEqual([])
    expect(problemIn('{ methods: [PUT, POST], idempotent: [PUT] }')?.code).toBe('CONFIG_SHADOW_WRITES')
  })

  it('says so too where an environment takes the declaration away (S41)', () => {
    const production = 'environments: { local: { strategy: { shadow: { idempotent: [] } } } }'
    const [problem] = problemsIn('{ methods: [PUT], idempotent: [PUT] }', production)
    expect(problem?.code).toBe('CONFIG_SHADOW_WRITES')
  })

  it.each([
    ['{ idempotent: [PUT /x] }', 'CONFIG_CONFLICT', 'would never be copied'],
    ['{ idempotent: [GET /x] }', 'CONFIG_BAD_ROUTE', 'must be POST, PUT, PATCH, DELETE'],
    ['{ idempotent: [post /x] }', 'CONFIG_BAD_ROUTE', 'must be POST'],
    ['{ idempotent: ["POST x"] }', 'CONFIG_BAD_ROUTE', 'must be POST'],
    ['{ methods: [] }', 'CONFIG_OUT_OF_RANGE', ''],
    ['{ methods: [CONNECT] }', 'CONFIG_WRONG_VALUE', ''],
    ['{ share: 0% }', 'CONFIG_OUT_OF_RANGE', ''],
    ['{ share: 101% }', 'CONFIG_OUT_OF_RANGE', ''],
    ['{ for: 10m, atMost: 5m }', 'CONFIG_CONFLICT', 'is shorter than for'],
    ['{ compare: { body: exact, ignore: [a] } }', 'CONFIG_CONFLICT', 'body is not json'],
    ['{ compare: { body: json, ignore: ["a..b"] } }', 'CONFIG_BAD_NAME', 'is no field'],
    ['{ criteria: { throughput: 90% } }', 'CONFIG_UNKNOWN_KEY', 'throughput'],
  ])('refuses %s', (shadow, code, message) => {
    const problem = problemIn(shadow)
    expect(problem?.code).toBe(code)
    expect(problem?.message).toContain(message)
  })

  it('needs an address: a worker has no requests that could be copied', () => {
    const text = fileWith('{}').replace('8080', 'none').replace('{ path: /up }', '{ command: check }')
    const result = loadConfig({ file: 'sluice.yaml', text, environment: 'local' })
    const messages = result.kind === 'failed' ? result.problem.map(({ message }) => message) : []
    expect(messages.join()).toContain('strategy.shadow needs an address')
  })

  it('is explained value by value', () => {
    const loaded = load('{ compare: { body: json, ignore: [id] }, methods: [PUT], idempotent: [PUT] }')
    if (loaded.kind === 'failed') throw new Error('it is fine')
    const rows = explainSettings(loaded.value).filter(({ path }) => path.startsWith('strategy.shadow'))
    const values = Object.fromEntries(
      rows.map(({ path, value }) => [path.replace('strategy.shadow.', ''), value]),
    )
    expect(values).toMatchObject({
      share: '10%',
      for: '10m',
      methods: '[PUT]',
      idempotent: '[PUT]',
      'compare.body': 'json',
      'compare.ignore': '[id]',
      'compare.volatile': 'ignore',
      'compare.limit': '1%',
      criteria: '{}',
      watch: '1h',
    })
  })
})
