import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { isAlive } from './kit/processes.ts'
import { eventually } from './kit/settle.ts'
import { startStack } from './kit/stack.ts'
import { expectNothingLost, startTraffic } from './kit/traffic.ts'

const manualSteps = {
  canary: { steps: [{ weight: '25%', pause: 'manual' }, { weight: '100%' }], watch: '300ms', hold: '200ms' },
}

it('a proxy that is upgraded twice in the middle of a rollout loses nothing, and the rollout goes on', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': {} },
    stable: '1.0.0',
    file: { strategy: manualSteps, drain: { requests: '30s', websockets: '1s' } },
  })
  const traffic = await startTraffic(stack, { ratePerSecond: 40 })
  const rollout = await stack.begin('1.1.0')
  await stack.stage(rollout, 250)
  const { boot } = await stack.router()
  const pids = [stack.pid('proxy')]
  const Runtime = z.object({ proxy: z.object({ pid: z.int() }) })
  const named = () =>
    Runtime.parse(JSON.parse(readFileSync(path.join(stack.state, 'runtime.json'), 'utf8'))).proxy.pid

  for (let turn = 0; turn < 2; turn += 1) {
    const done = await stack.cli('router', 'upgrade')
    expect(done).toMatchObject({ code: 0 })
    expect(done.out).toContain('no request was lost')
    await eventually('the runtime file names the new one', () => !pids.includes(named()))
    pids.push(named())
  }
  expect((await stack.router()).boot).toBe(boot)
  // A proxy that was replaced is no stray; nor is anything else out of order.
  expect((await stack.cli('doctor')).out).not.toContain('left over')

  await eventually('a promotion that was heard', async () => (await stack.refusal('promote', {})) === null)
  expect(await stack.outcome(rollout)).toBe('promoted')
  expectNothingLost(await traffic.stop())
  await eventually('only the new instances', () => stack.instances().length === 2)
  // The same version: there is nothing for `up` to do.
  expect((await stack.cli('up')).out).not.toContain('proxy')
  expect(stack.pid('proxy')).toBe(pids.at(-1))

  expect((await stack.cli('down', '--yes')).code).toBe(0)
  await eventually('no proxy is left', () => pids.every((pid) => !isAlive(pid)))
})
