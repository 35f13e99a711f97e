import { expect, test } from 'vitest'
import { explainSettings, renderExplanation } from './explain.ts'
import { loadConfig } from './load.ts'

const TEXT = `service: shop
run:
  command: node server.js --port {{port}}
  env: { LOG_LEVEL: info, RATE: 1.10 }
  secrets: [DATABASE_URL]
listen: "[::1]:8080"
health: { path: /up }
onControllerLoss: revert
notify: [{ name: team, webhook: https://hooks.example.com/x, secret: HOOK }]
analysis: { compare: { latency: off }, critical: { p99: off } }
environments:
  production: { run: { replicas: 4 }, strategy: { canary: quick } }
  staging: { run: { resources: { cpus: 0.5, memory: 512MiB } } }
`

function loaded(environment: string) {
  const result = loadConfig({ file: 'sluice.yaml', text: TEXT, environment })
  if (result.kind === 'failed') throw new Error(result.problem[0]?.message)
  return result.value
}
const rowsOf = (environment: string) =>
  new Map(explainSettings(loaded(environment)).map((row) => [row.path, `${row.value} <- ${row.originText}`]))

test('every effective value is written as in the file, with its origin', () => {
  const rows = rowsOf('production')
  expect(Object.fromEntries(rows)).toMatchObject({
    'run.command': '[node, server.js, --port, "{{port}}"] <- sluice.yaml:3:12',
    'run.replicas': '4 <- sluice.yaml:12:34 (environment production)',
    'run.env.LOG_LEVEL': 'info <- sluice.yaml:4:21',
    'run.env.RATE': '"1.10" <- sluice.yaml:4:33',
    'run.secrets': '[DATABASE_URL] <- sluice.yaml:5:12',
    'run.stopGrace': '10s <- default',
    listen: '[::1]:8080 <- sluice.yaml:6:9',
    'strategy.canary.steps[0]':
      '{ weight: 10%, pause: 5m, criteria: { errorRate: 1%, successRate: 99.9%, p99: 500ms } } <- sluice.yaml:12:59 (preset quick)',
    'strategy.canary.steps[2]': '{ weight: 100% } <- sluice.yaml:12:59 (preset quick)',
    'analysis.compare.latency': 'off <- sluice.yaml:10:33',
    'analysis.critical.p99': 'off <- sluice.yaml:10:57',
    'analysis.warning.p95TimesStable': 'off <- default',
    onControllerLoss: 'revert after 10m <- sluice.yaml:8:19',
    'prober.paths': '[/up] <- default: the health path',
    'notify[0]':
      '{ name: team, webhook: https://hooks.example.com/x, secret: HOOK, on: ["*"] } <- sluice.yaml:9:9',
  })
  expect(rowsOf('local').get('strategy.canary.steps[0]')).toContain('default: preset standard')
})

test('resources are written as in the file, and `{}` where nothing is said', () => {
  expect(rowsOf('local').get('run.resources')).toBe('{} <- default')
  const rows = rowsOf('staging')
  expect(rows.get('run.resources')).toBeUndefined()
  expect(rows.get('run.resources.cpus')).toBe('0.5 <- sluice.yaml:13:40 (environment staging)')
  expect(rows.get('run.resources.memory')).toBe('512MiB <- sluice.yaml:13:53 (environment staging)')
})

test('the text has a heading for each service and one line for each value', () => {
  const lines = renderExplanation(loaded('production')).split('\n')
  expect(lines[0]).toBe('shop in production (production)')
  expect(lines).toHaveLength(1 + explainSettings(loaded('production')).length)
  expect(lines.find((line) => line.includes('run.replicas'))).toMatch(
    /^ {2}run\.replicas +4 +sluice\.yaml:12:34 \(environment production\)$/,
  )
})
