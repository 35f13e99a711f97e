import { expect, it, onTestFinished } from 'vitest'
import { freePort } from '../../src/testkit/free-port.ts'
import { prometheusMissing, startPrometheus } from '../../src/testkit/servers/prometheus.test.kit.ts'
import { startTroubleServer } from '../../src/testkit/servers/trouble-server.test.kit.ts'
import { quickAnalysis, startStack } from './kit/stack.ts'
import { keepAsking } from './kit/traffic.ts'

const strategy = {
  canary: { steps: [{ weight: '50%', pause: '90s' }, { weight: '100%' }], watch: '1s', hold: '200ms' },
}
const ofVersion = '{version="{{version}}"}[{{window}}]'

it.skipIf(prometheusMissing !== null)(
  'a version whose payments fail although every request is answered with 200 is rolled back by a metric from Prometheus',
  async () => {
    const [first, second] = [await freePort(), await freePort()]
    const server = await startPrometheus(`127.0.0.1:${first}`, `127.0.0.1:${second}`)
    onTestFinished(server.dispose)
    const metric = {
      name: 'payment-failures',
      kind: 'ratio',
      tier: 'critical',
      every: '2s',
      timeout: '2s',
      delay: '500ms',
      prometheus: {
        address: server.address,
        bad: `sum(increase(payments_failed_total${ofVersion}))`,
        total: `sum(increase(payments_total${ofVersion}))`,
      },
    }
    const stack = await startStack({
      versions: {
        '1.0.0': { metricsPort: first },
        '1.1.0': { metricsPort: second, failedPayments: 0.4 },
      },
      stable: '1.0.0',
      file: {
        run: { artifact: './releases/{{version}}', command: 'node server.js', replicas: 1, stopGrace: '5s' },
        strategy,
        analysis: { ...quickAnalysis, warmUp: '0s', metrics: [metric] },
      },
    })
    for (let users = 0; users < 4; users += 1) keepAsking(stack)
    const rollout = await stack.deploy('1.1.0')
    expect(rollout).toMatchObject({
      outcome: 'rolled_back',
      reason: { code: 'CHECK_CRITICAL', evidence: { check: 'payment-failures', tier: 'critical' } },
      exposure: { errors: 0 },
    })
    expect(rollout.checks.find(({ name }) => name === 'payment-failures')).toMatchObject({ verdict: 'worse' })
    expect(rollout.reason.message).toContain('payments_failed_total{version="1.1.0"}')
    const shown = await stack.cli('status')
    expect(shown.out).toContain('payment-failures')
    expect((await stack.cli('replay')).out).toMatch(/^equal: /)
  },
)

it('the errors of one route, counted by the data plane, roll back where no other check would', async () => {
  const metric = { name: 'page-errors', kind: 'ratio', tier: 'critical', every: '2s', timeout: '2s' }
  const { critical } = quickAnalysis
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': { errorShare: 0.4 } },
    stable: '1.0.0',
    file: {
      strategy,
      analysis: {
        ...quickAnalysis,
        critical: { ...critical, errorRate: 'off' },
        warmUp: '0s',
        metrics: [{ ...metric, builtin: { route: 'GET /', count: '5xx' } }],
      },
    },
  })
  for (let users = 0; users < 4; users += 1) keepAsking(stack)
  const rollout = await stack.deploy('1.1.0')
  expect(rollout).toMatchObject({
    outcome: 'rolled_back',
    reason: { code: 'CHECK_CRITICAL', evidence: { check: 'page-errors' } },
  })
  const samples = stack
    .journal()
    .flatMap(({ event }) => (event.kind === 'metric-sampled' ? [event.sample] : []))
  expect(samples[0]).toMatchObject({ candidate: { kind: 'counts' }, stable: { kind: 'counts' } })
  const { out: explained } = await stack.cli('explain', 'last', '--check', 'page-errors')
  expect(explained).toMatch(/page-errors of total/)
  expect(explained).toMatch(/crossed +with window \d+ at /)
  expect(explained).toMatch(/would pass +up to [\d.]+% instead/)
  expect(explained).toMatch(/asked +builtin, last over [\d.]+s until .*: \d+ windows? with numbers/)
  expect((await stack.cli('replay')).out).toMatch(/^equal: .* of declared metrics/)
})

it('a metric from JSON rolls back, and one that never answers delays neither it nor the looks', async () => {
  const server = await startTroubleServer((request, response) => {
    const isNew = (request.url ?? '').includes('version=1.1.0')
    response.end(JSON.stringify({ orders: isNew ? 20 : 120, visits: 1000 }))
  })
  onTestFinished(server.close)
  const json = (path: string) => ({
    url: `${server.address}${path}?version={{version}}&from={{from}}&to={{to}}`,
    bad: '$.orders',
    total: '$.visits',
  })
  const orders = {
    name: 'orders',
    kind: 'ratio',
    direction: 'less-is-worse',
    tier: 'critical',
    timeout: '2s',
  }
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': {} },
    stable: '1.0.0',
    file: {
      strategy,
      analysis: {
        ...quickAnalysis,
        warmUp: '0s',
        metrics: [
          { ...orders, name: 'silent', every: '2s', json: json('/timeout') },
          { ...orders, every: '3s', json: json('/funnel') },
        ],
      },
    },
  })
  keepAsking(stack)
  const rollout = await stack.deploy('1.1.0')
  expect(rollout).toMatchObject({
    outcome: 'rolled_back',
    reason: { code: 'CHECK_CRITICAL', evidence: { check: 'orders' } },
  })
  expect(rollout.checks.find(({ name }) => name === 'silent')).toMatchObject({
    verdict: 'no-data',
    samples: 0,
  })
})
