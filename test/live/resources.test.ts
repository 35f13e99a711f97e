import { expect, it } from 'vitest'
import { eventually } from './kit/settle.ts'
import { quickAnalysis, startStack } from './kit/stack.ts'
import { keepAsking } from './kit/traffic.ts'

const file = {
  run: {
    artifact: './releases/{{version}}',
    command: 'node server.js',
    replicas: 1,
    resources: { cpus: 0.25 },
    stopGrace: '5s',
  },
  strategy: {
    canary: { steps: [{ weight: '50%', pause: '90s' }, { weight: '100%' }], watch: '1s', hold: '200ms' },
  },
  analysis: {
    ...quickAnalysis,
    interval: '500ms',
    warmUp: '1s',
    warning: { ...quickAnalysis.warning, cpu: '80%' },
  },
}

it('a version that burns a whole CPU where a quarter of one is declared is paused, and the sentence says of what it uses how much', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': { burnsCpu: true } },
    file,
    stable: '1.0.0',
  })
  keepAsking(stack)
  const id = await stack.begin('1.1.0')
  const paused = await eventually('the pause', async () => {
    const { rollout } = await stack.view()
    return rollout?.state === 'paused' ? rollout : null
  })
  expect(paused.reason.code).toBe('CHECK_WARNING')
  const said =
    /^CPU \(warning\): candidate (\d+)% \([\d.]+ of 0\.25 declared CPUs\), stable [\d.]+% \([\d.]+ of 0\.25 declared CPUs\); limit 80%, above it in 3 of the last [345] evaluations$/
  expect(paused.reason.message).toMatch(said)
  expect(Number(said.exec(paused.reason.message)?.[1])).toBeGreaterThan(80)
  expect(paused.checks.find(({ name }) => name === 'CPU (warning)')).toMatchObject({ verdict: 'warning' })
  expect(paused.targets.find(({ name }) => name === 'CPU')).toMatchObject({ limit: '< 70%', met: false })

  await stack.cli('abort')
  expect(await stack.outcome(id)).toBe('aborted')
  const explained = await stack.cli('explain', id)
  expect(explained.out).toMatch(/^CPU \(warning\) {2}✗ broken$/m)
  expect(explained.out).toMatch(/^CPU +\d.*missed < 70%/m)
  expect(explained.out).toMatch(/^network out +[\d.]+ (B|KiB)\/s/m)
  expect(await stack.cli('replay', id)).toMatchObject({ code: 0 })
})
