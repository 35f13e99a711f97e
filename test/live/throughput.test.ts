import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { createStack, quickAnalysis, type Stack } from './kit/stack.ts'

const PATIENCE_MS = 500
const ASK_EVERY_MS = 10

/** Users who come all the time and give up when nothing comes. */
function keepComing(stack: Stack): void {
  let isOver = false
  onTestFinished(() => {
    isOver = true
  })
  const ask = (): Promise<unknown> =>
    fetch(stack.url, { signal: AbortSignal.timeout(PATIENCE_MS) })
      .then((answer) => answer.text())
      .catch(() => undefined)
  async function come(): Promise<void> {
    for (; !isOver; await sleep(ASK_EVERY_MS)) void ask()
  }
  void come()
}

it('a version that leaves most requests without an answer goes back once that has lasted, though it shows no error', async () => {
  const forLong = { throughput: '50%', p95TimesStable: 'off', over: '10s' }
  const stack = await createStack({
    versions: { '1.0.0': {}, '1.1.0': { hangShare: 0.9 } },
    file: {
      strategy: {
        canary: {
          steps: [{ weight: '50%', pause: '90s' }, { weight: '100%' }],
          watch: '500ms',
          hold: '200ms',
        },
      },
      analysis: { ...quickAnalysis, warmUp: '1s', critical: { ...quickAnalysis.critical, forLong } },
    },
  })
  await stack.startController()
  await stack.deploy('1.0.0')
  keepComing(stack)
  const began = performance.now()
  const { code, out, err } = await stack.cli('deploy', '1.1.0', '--yes')
  expect(code).toBe(10)
  expect(performance.now() - began).toBeGreaterThan(10_000)
  expect((out + err).replace(/\s+/g, ' ')).toMatch(
    /throughput for long \(critical\): candidate [\d,]+ of [\d,]+ requests due, stable [\d,]+ answered, limit 50% of what is due for 10s or more/,
  )
  const { rollout } = await stack.view()
  expect(rollout).toMatchObject({ outcome: 'rolled_back', exposure: { errors: 0 } })
  const explained = await stack.cli('explain', 'last')
  expect(explained.out).toMatch(/would pass +from \d+/)
  expect(await stack.cli('replay', 'last')).toMatchObject({ code: 0 })
})
