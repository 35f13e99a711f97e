import { describe, expect, test } from 'vitest'
import { ServiceSettings } from '../core/release/settings.ts'
import { stagesOf } from '../core/release/strategy-settings.ts'
import { readyCheckOf } from '../core/shared/set-spec.ts'
import { loadConfig } from './load.ts'

const MINIMAL = [
  'service: shop',
  'run:',
  '  command: node server.js',
  'listen: 127.0.0.1:8080',
  'health:',
  '  path: /up',
]

/** The minimal file with more lines below it: line 7 is the first of them. */
const withLines = (...lines: string[]): string => [...MINIMAL, ...lines].join('\n')
const replaced = (line: number, ...by: string[]): string => MINIMAL.toSpliced(line - 1, 1, ...by).join('\n')

function loadedFrom(text: string, environment = 'local') {
  const loaded = loadConfig({ file: '/project/sluice.yaml', text, environment })
  if (loaded.kind === 'failed') throw new Error(loaded.problem.map((one) => one.message).join('\n'))
  return loaded.value
}

function settingsFrom(text: string, environment = 'local'): ServiceSettings {
  const [settings] = loadedFrom(text, environment).services
  if (settings === undefined) throw new Error('no service')
  return settings
}

describe('a file that is right', () => {
  test('needs five keys, and everything else is a default fit for production', () => {
    const settings = settingsFrom(MINIMAL.join('\n'))
    expect(settings).toMatchObject({
      service: 'shop',
      environment: 'local',
      production: false,
      run: {
        artifact: '/project',
        command: ['node', 'server.js'],
        replicas: 1,
        env: {},
        secrets: [],
        stopGraceMs: 10_000,
        resources: {},
      },
      listen: { host: '127.0.0.1', port: 8080 },
      health: {
        path: '/up',
        intervalMs: 1000,
        timeoutMs: 1000,
        successes: 2,
        failures: 3,
        deadlineMs: 60_000,
      },
      drain: { requestsMs: 30_000, websocketsMs: 60_000 },
      onControllerLoss: { kind: 'hold' },
      prober: { paths: ['/up'], intervalMs: 200 },
      notify: [],
    })
    expect(settings.strategy).toMatchObject({
      kind: 'canary',
      watchMs: 3_600_000,
      holdMs: 30_000,
      readyPercent: 100,
    })
    expect(settings.analysis).toEqual({
      alpha: 0.01,
      intervalMs: 1000,
      minRequests: 100,
      compare: {
        errors: { ratio: 1, points: 0.1 },
        latency: { ratio: 1.1, points: 1 },
        crashes: { ratio: 1 },
      },
      dryRun: [],
      noticePoints: 1,
      dispersion: null,
      warmUpMs: 30_000,
      critical: {
        errorRatePercent: 1,
        errorPointsOverStable: 5,
        p99Ms: 1000,
        p95TimesStable: 2,
        forLong: { throughputPercent: 50, p95TimesStable: 1.5, overMs: 300_000 },
      },
      warning: {
        errorRatePercent: 0.5,
        p99Ms: 500,
        throughputPercent: 50,
        cpuPercent: 80,
        memoryPercent: 85,
        diskPercent: 80,
      },
      resourceFailureLimit: { limit: 3, of: 5 },
      targets: {
        errorRatePercent: 0.1,
        successRatePercent: 99.95,
        p50Ms: 100,
        p95Ms: 300,
        p99Ms: 500,
        cpuPercent: 70,
        memoryPercent: 80,
      },
      failingChecks: 3,
      failingInstancesPercent: 10,
      crashLimit: 3,
      newErrors: 'report',
      newErrorsAtLeast: 3,
      slo: null,
      alerts: { critical: 'pause', warning: 'report', match: {} },
      metrics: [],
    })
    expect(ServiceSettings.parse(settings)).toEqual(settings)
  })

  test('has the standard steps with their criteria unless it says otherwise', () => {
    expect(stagesOf(settingsFrom(MINIMAL.join('\n')).strategy)).toEqual([
      {
        weightPermille: 50,
        pauseMs: 600_000,
        criteria: { errorRatePercent: 1, p99Ms: 500, successRatePercent: 99.9 },
      },
      {
        weightPermille: 250,
        pauseMs: 900_000,
        criteria: { errorRatePercent: 0.5, p99Ms: 400, successRatePercent: 99.9 },
      },
      {
        weightPermille: 500,
        pauseMs: 1_200_000,
        criteria: { errorRatePercent: 0.1, p99Ms: 300, successRatePercent: 99.95 },
      },
      { weightPermille: 1000, pauseMs: 0, criteria: {} },
    ])
  })

  test.each([
    ['strategy: canary', [50, 250, 500, 1000]],
    ['strategy: { canary: standard }', [50, 250, 500, 1000]],
    ['strategy: { canary: cautious }', [10, 50, 100, 250, 500, 1000]],
    ['strategy: { canary: { preset: quick, watch: 10m } }', [100, 500, 1000]],
    ['strategy: { canary: { steps: [{ weight: 0.5% }, { weight: 20%, pause: manual }] } }', [5, 200, 1000]],
    ['strategy: { canary: { steps: [{ weight: 100%, pause: 0s }] } }', [1000]],
  ])('%s gives its weights and ends with all traffic', (line, weights) => {
    expect(stagesOf(settingsFrom(withLines(line)).strategy).map((step) => step.weightPermille)).toEqual(
      weights,
    )
  })

  test('a step of an own list asks only what it names and lasts ten minutes by default', () => {
    const text = withLines(
      'strategy:',
      '  canary:',
      '    steps:',
      '      - { weight: 5%, criteria: { p95: 300ms } }',
      '      - { weight: 50%, pause: manual }',
      '    hold: keep',
    )
    const { strategy } = settingsFrom(text)
    const [steps, { holdMs }] = [stagesOf(strategy), strategy]
    expect(steps[0]).toEqual({ weightPermille: 50, pauseMs: 600_000, criteria: { p95Ms: 300 } })
    expect(steps[1]).toEqual({ weightPermille: 500, pauseMs: null, criteria: {} })
    expect(holdMs).toBeNull()
  })

  test.each([
    ['listen: 8080', { host: '127.0.0.1', port: 8080 }],
    ['listen: "8080"', { host: '127.0.0.1', port: 8080 }],
    ['listen: localhost:80', { host: 'localhost', port: 80 }],
    ['listen: "[::1]:8080"', { host: '::1', port: 8080 }],
    ['listen: 0.0.0.0:0', { host: '0.0.0.0', port: 0 }],
  ])('%s is an address', (line, address) => {
    expect(settingsFrom(replaced(4, line)).listen).toEqual(address)
  })

  test.each([
    ['onControllerLoss: hold', { kind: 'hold' }],
    ['onControllerLoss: revert', { kind: 'revert', afterMs: 600_000 }],
    ['onControllerLoss: { revert: {} }', { kind: 'revert', afterMs: 600_000 }],
    ['onControllerLoss: { revert: { after: 30s } }', { kind: 'revert', afterMs: 30_000 }],
  ])('%s is a policy', (line, policy) => {
    expect(settingsFrom(withLines(line)).onControllerLoss).toEqual(policy)
  })

  test('switches off the prober, a comparison and single limits', () => {
    const settings = settingsFrom(
      withLines(
        'prober: off',
        'analysis:',
        '  compare: { latency: off, crashes: off }',
        '  critical: { p99: off, errorRate: 2%, forLong: off }',
      ),
    )
    expect(settings.prober).toBeNull()
    expect(settings.analysis.compare).toEqual({ errors: { ratio: 1, points: 0.1 }, latency: null })
    expect(settings.analysis.critical).toEqual({
      errorRatePercent: 2,
      errorPointsOverStable: 5,
      p95TimesStable: 2,
    })
  })

  test('has limits of resources and health targets that can be changed and switched off', () => {
    const { analysis } = settingsFrom(
      withLines(
        'analysis:',
        '  critical: { memory: 95% }',
        '  warning: { cpu: off, disk: 60% }',
        '  resourceFailureLimit: { of: 8 }',
        '  targets: { p50: 20ms, successRate: off, cpu: off }',
      ),
    )
    expect(analysis.critical).toMatchObject({ memoryPercent: 95 })
    expect(analysis.warning).toMatchObject({ memoryPercent: 85, diskPercent: 60 })
    expect(analysis.warning).not.toHaveProperty('cpuPercent')
    expect(analysis.resourceFailureLimit).toEqual({ limit: 3, of: 8 })
    const rest = { errorRatePercent: 0.1, p95Ms: 300, p99Ms: 500, memoryPercent: 80 }
    expect(analysis.targets).toEqual({ ...rest, p50Ms: 20 })
  })

  test('takes parts of what takes long, and checks that are only tried', () => {
    const { analysis, strategy } = settingsFrom(
      withLines(
        'strategy: { canary: { steps: [{ weight: 5%, criteria: { p99: 1s, consecutivePasses: 3, failureLimit: 10 } }] } }',
        'analysis:',
        '  critical: { forLong: { throughput: off, over: 10m } }',
        '  dryRun: [p99 latency (critical), crash loop]',
      ),
    )
    expect(analysis.critical.forLong).toEqual({ p95TimesStable: 1.5, overMs: 600_000 })
    expect(analysis.dryRun).toEqual(['p99 latency (critical)', 'crash loop'])
    expect(stagesOf(strategy)[0]?.criteria).toEqual({ p99Ms: 1000, consecutivePasses: 3, failureLimit: 10 })
  })

  test('tries all checks of numbers without a consequence, and none of those that are certain', () => {
    const { dryRun } = settingsFrom(withLines('analysis: { dryRun: all }')).analysis
    expect(dryRun).toContain('throughput for long (critical)')
    expect(dryRun).not.toContain('crash loop')
  })

  test('keeps variables and command words as they are written', () => {
    const text = replaced(
      3,
      '  command: [node, --port, 3000, 0x10]',
      '  env: { VERSION: 1.10, DEBUG: true, PORT_LIST: "{{port}}", EMPTY: "", ZIP: 01234 }',
    )
    expect(settingsFrom(text).run.env).toEqual({
      VERSION: '1.10',
      DEBUG: 'true',
      PORT_LIST: '{{port}}',
      EMPTY: '',
      ZIP: '01234',
    })
    expect(settingsFrom(text).run.command).toEqual(['node', '--port', '3000', '0x10'])
  })

  test('resolves the artifact against the folder of the file and keeps the version open', () => {
    expect(
      settingsFrom(replaced(3, '  command: node s.js', '  artifact: ../builds/{{version}}.tgz')).run.artifact,
    ).toBe('/builds/{{version}}.tgz')
  })

  test('knows both kinds of notification', () => {
    const text = withLines(
      'notify:',
      '  - { name: team, webhook: "https://hooks.example.com/x", secret: HOOK, on: [rollout.promoted] }',
      '  - { name: log, command: ./notify.sh --all }',
    )
    expect(settingsFrom(text).notify).toEqual([
      {
        kind: 'webhook',
        name: 'team',
        url: 'https://hooks.example.com/x',
        secret: 'HOOK',
        on: ['rollout.promoted'],
      },
      { kind: 'command', name: 'log', command: ['./notify.sh', '--all'], on: ['*'] },
    ])
  })

  test('takes a byte order mark and Windows line ends', () => {
    expect(settingsFrom(`\uFEFF${MINIMAL.join('\r\n')}`).service).toBe('shop')
  })

  test('shares a block between services with an alias', () => {
    const text = [
      'services:',
      '  a: { run: { command: ./a }, listen: 81, health: &up { path: /up } }',
      '  b: { run: { command: ./b }, listen: 82, health: *up }',
    ].join('\n')
    const loaded = loadedFrom(text)
    expect(loaded.services.map((settings) => [settings.service, readyCheckOf(settings.health)])).toEqual([
      ['a', { kind: 'http', path: '/up' }],
      ['b', { kind: 'http', path: '/up' }],
    ])
    expect(loaded.origins.get('b')?.get('health.path')).toEqual({ kind: 'file', line: 2, column: 63 })
  })
})

describe('environments', () => {
  const text = replaced(3, '  command: node server.js', '  env: { LOG_LEVEL: info, REGION: eu }').concat(
    '\n',
    [
      'strategy: { canary: { preset: quick, watch: 5m } }',
      'analysis: { alpha: 5% }',
      'environments:',
      '  staging:',
      '    run: { replicas: 3, env: { LOG_LEVEL: debug } }',
      '    strategy: { canary: cautious }',
      '  production: { analysis: default, listen: 9090 }',
      '  live: { production: true }',
    ].join('\n'),
  )

  test('change only what they name', () => {
    const staging = settingsFrom(text, 'staging')
    expect(staging.run).toMatchObject({
      command: ['node', 'server.js'],
      replicas: 3,
      env: { LOG_LEVEL: 'debug', REGION: 'eu' },
    })
    expect(staging.strategy).toMatchObject({ watchMs: 300_000, steps: { length: 6 } })
    expect(settingsFrom(text).run.replicas).toBe(1)
  })

  test('watch a promoted release lightly in production, and elsewhere only where the file asks for it', () => {
    const day = { forMs: 86_400_000, onFinding: 'alarm' }
    expect(settingsFrom(text, 'production').strategy.lightWatch).toEqual(day)
    expect(settingsFrom(text, 'live').strategy.lightWatch).toEqual(day)
    expect(settingsFrom(text, 'staging').strategy.lightWatch).toBeNull()
    expect(settingsFrom(text).strategy.lightWatch).toBeNull()
    const asked = (lightWatch: string, environment: string) =>
      settingsFrom(text.replace('watch: 5m', `watch: 5m, lightWatch: ${lightWatch}`), environment).strategy
        .lightWatch
    expect(asked('{ onFinding: rollback }', 'production')).toEqual({ ...day, onFinding: 'rollback' })
    expect(asked('{ for: 2h }', 'local')).toEqual({ ...day, forMs: 7_200_000 })
    expect(asked('off', 'production')).toBeNull()
  })

  test('are production by name or by mark', () => {
    expect(settingsFrom(text, 'production').production).toBe(true)
    expect(settingsFrom(text, 'live').production).toBe(true)
    expect(settingsFrom(text, 'staging').production).toBe(false)
  })

  test('go back to the default analysis when they say so', () => {
    expect(settingsFrom(text, 'live').analysis.alpha).toBe(0.05)
    expect(settingsFrom(text, 'production').analysis.alpha).toBe(0.01)
  })

  test('are all known to the loaded file', () => {
    expect(loadedFrom(text).environments).toEqual(['local', 'staging', 'production', 'live'])
  })

  test('of several services change all of them or one', () => {
    const many = [
      'services:',
      '  shop: { run: { command: ./shop }, listen: 81, health: { path: /up } }',
      '  api: { run: { command: ./api }, listen: 82, health: { path: /up } }',
      'environments:',
      '  staging: { run: { replicas: 2 }, services: { api: { run: { replicas: 5 } } } }',
    ].join('\n')
    expect(loadedFrom(many, 'staging').services.map((settings) => settings.run.replicas)).toEqual([2, 5])
  })

  test('say where each value came from', () => {
    const origins = loadedFrom(text, 'staging').origins.get('shop')
    expect(origins?.get('run.replicas')).toEqual({
      kind: 'environment',
      name: 'staging',
      line: 12,
      column: 22,
    })
    expect(origins?.get('run.env.LOG_LEVEL')).toEqual({
      kind: 'environment',
      name: 'staging',
      line: 12,
      column: 43,
    })
    expect(origins?.get('run.env.REGION')).toEqual({ kind: 'file', line: 4, column: 35 })
    expect(origins?.get('strategy.canary.steps')).toEqual({
      kind: 'preset',
      name: 'cautious',
      line: 13,
      column: 25,
    })
    expect(origins?.get('strategy.canary.hold')).toEqual({ kind: 'default', note: '' })
  })
})
