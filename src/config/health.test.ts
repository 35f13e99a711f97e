import { describe, expect, test } from 'vitest'
import { explainSettings } from './explain.ts'
import { loadConfig } from './load.ts'

const fileWith = (health: string, ...more: string[]): string =>
  ['service: shop', 'run: { command: ./shop }', 'listen: 8080', `health: ${health}`, ...more].join('\n')

function load(text: string, environment = 'local') {
  const loaded = loadConfig({ file: '/p/sluice.yaml', text, environment })
  if (loaded.kind === 'failed') throw new Error(loaded.problem.map((one) => one.message).join('\n'))
  return loaded.value
}
function settingsOf(text: string, environment?: string) {
  const [settings] = load(text, environment).services
  if (settings === undefined) throw new Error('no service')
  return settings
}
function refused(text: string): string[] {
  const loaded = loadConfig({ file: '/p/sluice.yaml', text })
  return loaded.kind === 'ok'
    ? []
    : loaded.problem.map(({ code, message }) => `${code}: ${message.replace(/^\S+:\d+:\d+: /, '')}`)
}

const PHASES = { intervalMs: 1000, timeoutMs: 1000, successes: 2, failures: 3, deadlineMs: 60_000 }

describe('health', () => {
  test('with a path is recorded as it always was, so that releases keep their ids', () => {
    expect(settingsOf(fileWith('{ path: /up }')).health).toEqual({ path: '/up', ...PHASES })
  })

  test.each([
    ['{ tcp: true }', { kind: 'tcp' }],
    ['{ grpc: {} }', { kind: 'grpc', service: '' }],
    ['{ grpc: { service: shop.Orders } }', { kind: 'grpc', service: 'shop.Orders' }],
    [
      '{ command: "./healthy --port {{port}}" }',
      { kind: 'command', command: ['./healthy', '--port', '{{port}}'] },
    ],
  ])('is asked by %s', (health, check) => {
    expect(settingsOf(fileWith(health)).health).toEqual({ check, ...PHASES })
  })

  test('needs exactly one way to ask', () => {
    expect(refused(fileWith('{ interval: 1s }'))).toEqual(['CONFIG_MISSING_KEY: health.path is missing'])
    expect(refused(fileWith('{ path: /up, tcp: true }'))).toEqual([
      'CONFIG_CONFLICT: health must have exactly one of path, tcp, grpc, command and runs',
    ])
    expect(refused(fileWith('{ path: /up, live: { failures: 2 } }'))).toEqual([
      'CONFIG_CONFLICT: health.live must have exactly one of path, tcp, grpc and command',
    ])
    expect(refused(fileWith('{ tcp: 8080 }'))[0]).toMatch(/^CONFIG_WRONG_VALUE: health\.tcp is 8080/)
  })

  test('is asked by the way that the environment names, and everywhere else by that of the service', () => {
    const text = fileWith(
      '{ path: /up, interval: 5s }',
      'environments: { staging: { health: { tcp: true } } }',
    )
    expect(settingsOf(text, 'staging').health).toEqual({
      check: { kind: 'tcp' },
      ...PHASES,
      intervalMs: 5000,
    })
    expect(settingsOf(text).health).toMatchObject({ path: '/up' })
    expect(load(text, 'staging').origins.get('shop')?.get('health.tcp')).toMatchObject({
      kind: 'environment',
      name: 'staging',
    })
  })

  test('restarts nothing unless live is declared, and an environment can switch it off', () => {
    const text = fileWith(
      '{ path: /up, live: { path: /livez, failures: 5 } }',
      'environments: { staging: { health: { live: off } } }',
    )
    expect(settingsOf(fileWith('{ path: /up }')).health.live).toBeUndefined()
    expect(settingsOf(text).health.live).toEqual({
      check: { kind: 'http', path: '/livez' },
      intervalMs: 10_000,
      timeoutMs: 5000,
      failures: 5,
    })
    expect(settingsOf(text, 'staging').health.live).toBeUndefined()
  })

  test('has no prober without a path that is safe to ask, and says so to whoever sets one up', () => {
    expect(settingsOf(fileWith('{ tcp: true }')).prober).toBeNull()
    expect(settingsOf(fileWith('{ tcp: true }', 'prober: { paths: [/] }')).prober?.paths).toEqual(['/'])
    expect(refused(fileWith('{ tcp: true }', 'prober: { interval: 1s }'))).toEqual([
      'CONFIG_CONFLICT: prober.interval is set, but no path is known that is safe to ask: health is not asked by a path',
    ])
  })
})

describe('named checks', () => {
  const checks = (...items: string[]) => fileWith(`{ path: /up, checks: [${items.join(', ')}] }`)
  const DEFAULTS = {
    kind: 'dependency',
    everyMs: 30_000,
    timeoutMs: 5000,
    failures: 2,
    onFailure: 'report',
  }

  test('are asked by path, gRPC, command, or the address of somebody else', () => {
    const text = checks(
      '{ name: database, tcp: "db.internal:5432" }',
      '{ name: queue, path: /health/queue, every: 10s, onFailure: warning }',
      '{ name: sums, command: ./sums, kind: job, failures: 1, onFailure: critical }',
    )
    expect(settingsOf(text).health.checks).toEqual([
      { name: 'database', ...DEFAULTS, check: { kind: 'address', host: 'db.internal', port: 5432 } },
      {
        name: 'queue',
        ...DEFAULTS,
        everyMs: 10_000,
        onFailure: 'warning',
        check: { kind: 'http', path: '/health/queue' },
      },
      {
        name: 'sums',
        ...DEFAULTS,
        kind: 'job',
        failures: 1,
        onFailure: 'critical',
        check: { kind: 'command', command: ['./sums'] },
      },
    ])
  })

  test('are refused with two names alike, no way to ask, an address without a port, and a bare tcp: true', () => {
    expect(refused(checks('{ name: a, path: /a }', '{ name: a, path: /b }'))).toEqual([
      'CONFIG_CONFLICT: health.checks[1].name is "a", as another check is called',
    ])
    expect(refused(checks('{ name: a }'))).toEqual([
      'CONFIG_CONFLICT: health.checks[0] must have exactly one of path, tcp, grpc and command',
    ])
    expect(refused(checks('{ name: a, tcp: "db:0" }'))[0]).toMatch(/^CONFIG_BAD_ADDRESS: .* has the port 0/)
    expect(refused(checks('{ name: a, tcp: true }'))[0]).toMatch(/^CONFIG_BAD_ADDRESS/)
  })

  test('and all phases can be explained', () => {
    const loaded = load(
      fileWith(
        '{ grpc: {}, live: { tcp: true }, checks: [{ name: database, tcp: "db:5432", onFailure: warning }] }',
      ),
    )
    const rows = Object.fromEntries(explainSettings(loaded).map(({ path, value }) => [path, value]))
    expect(rows).toMatchObject({
      'health.grpc': '{}',
      'health.live.tcp': 'true',
      'health.live.failures': '3',
      'health.checks[0]':
        '{ name: database, kind: dependency, tcp: db:5432, every: 30s, timeout: 5s, failures: 2, onFailure: warning }',
    })
  })
})
