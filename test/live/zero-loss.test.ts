import { expect, it } from 'vitest'
import * as z from 'zod'
import { slowness } from '../../src/testkit/slowness.test.kit.ts'
import { startStack } from './kit/stack.ts'
import { expectNothingLost, startTraffic } from './kit/traffic.ts'

it('deploy, promote, a killed controller and rollback lose nothing at 300 requests per second with slow requests and open WebSockets', async () => {
  const steps = [{ weight: '25%', pause: 'manual' }, { weight: '60%', pause: '800ms' }, { weight: '100%' }]
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': {} },
    stable: '1.0.0',
    file: { strategy: { canary: { steps, watch: '500ms', hold: '200ms' } } },
  })
  // A machine that cannot carry this rate would show its own queue only.
  const ratePerSecond = Math.round(300 / Math.max(1, slowness() / 4))
  const traffic = await startTraffic(stack, { ratePerSecond, webSockets: 10 })

  const deployed = await stack.begin('1.1.0')
  await stack.stage(deployed, 250)
  await stack.kill('controller')
  await stack.startController()
  await stack.stage(deployed, 250)
  await stack.call('promote', {}, z.unknown())
  expect(await stack.outcome(deployed)).toBe('promoted')
  const { rollout } = await stack.call('rollback', {}, z.object({ rollout: z.string() }))
  expect(await stack.outcome(rollout)).toBe('promoted')

  const users = await traffic.stop()
  const { sent, byVersion, latency } = users.requests
  console.log(
    `${sent} requests, ${JSON.stringify(byVersion)}, p50 ${latency.p50Ms?.toFixed(1)} ms, ${users.webSockets.gracefulCloses} WebSockets said good-bye`,
  )
  expectNothingLost(users)
  expect(users.webSockets.opened).toBe(10)
  expect((await stack.rollout(deployed)).rollout.loss).toMatchObject({ requestsLost: 0, cutOnDrain: 0 })
  expect((await stack.view()).stable?.version).toBe('1.0.0')
})
