import { rmSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { slowness } from '../../src/testkit/slowness.test.kit.ts'
import { killHard, processesOf } from './kit/processes.ts'
import { eventually } from './kit/settle.ts'
import { type Stack, startStack } from './kit/stack.ts'
import { expectNothingLost, startTraffic } from './kit/traffic.ts'

/** Promised in the documentation: a data plane that died serves again within this, on a machine that is not overloaded. */
const PROXY_BACK_MS = 2000
const manualSteps = {
  canary: { steps: [{ weight: '25%', pause: 'manual' }, { weight: '100%' }], watch: '300ms', hold: '200ms' },
}

it('a killed proxy is back within two seconds with the same routes, and the rollout goes on', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': {} },
    stable: '1.0.0',
    file: { strategy: manualSteps },
  })
  const traffic = await startTraffic(stack, { slow: 0, webSockets: 0, ratePerSecond: 30 })
  const rollout = await stack.begin('1.1.0')
  await stack.stage(rollout, 250)
  const before = weightsIn(await stack.router())

  await stack.kill('proxy')
  const diedAt = performance.now()
  await anAnswer(stack)
  const awayMs = performance.now() - diedAt
  expect(awayMs).toBeLessThan(PROXY_BACK_MS * slowness())
  expect(weightsIn(await eventually('the state of the routes', () => stack.router()))).toEqual(before)

  await promote(stack, rollout)
  const { requests } = await traffic.stop()
  console.log(
    `proxy killed: away for ${Math.round(awayMs)} ms, ${requests.lost.count} of ${requests.sent} requests lost ${JSON.stringify(requests.lost.byKind)}`,
  )
  // Nobody can serve while the data plane is away; what was lost fits into that time.
  expect(requests.lost.count).toBeLessThan((requests.sent / requests.elapsedMs) * (awayMs + 1000))
})

it('a killed agent loses nothing: instances live on, are adopted by the next agent, and the rollout goes on', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': {} },
    stable: '1.0.0',
    file: { strategy: manualSteps },
  })
  const traffic = await startTraffic(stack)
  const rollout = await stack.begin('1.1.0')
  await stack.stage(rollout, 250)
  const running = stack.instances().sort()
  const dead = stack.pid('agent')

  await stack.kill('agent')
  await eventually('another agent', () => stack.pid('agent') !== dead)
  expect(stack.instances().sort()).toEqual(running)

  await promote(stack, rollout)
  expectNothingLost(await traffic.stop())
  await eventually('only the new instances', () => stack.instances().length === 2)
})

it('controller, proxy and agent killed at once: the next controller brings them back and promotes', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': {} },
    stable: '1.0.0',
    file: { strategy: manualSteps },
  })
  const rollout = await stack.begin('1.1.0')
  await stack.stage(rollout, 250)
  const running = stack.instances().sort()

  for (const part of ['controller', 'proxy', 'agent'] as const) await stack.kill(part)
  await stack.startController()

  expect(stack.instances().sort()).toEqual(running)
  await anAnswer(stack)
  const traffic = await startTraffic(stack, { slow: 0 })
  await promote(stack, rollout)
  expectNothingLost(await traffic.stop())
})

it('after a reboot of the host, up brings stable back from its own copy, though the artifact folder is gone', async () => {
  const stack = await startStack({ versions: { '1.0.0': { marker: 'the first bytes' } }, stable: '1.0.0' })
  await eventually('no process of the folder', () => {
    const left = processesOf(stack.folder)
    for (const { pid } of left) killHard(pid)
    return left.length === 0
  })
  rmSync(path.join(stack.folder, 'releases'), { recursive: true })

  expect((await stack.cli('up')).code).toBe(0)

  await anAnswer(stack)
  expect(await stack.get('/marker')).toMatchObject({ body: 'the first bytes', version: '1.0.0' })
  await eventually('both instances', async () => (await stack.view()).sets[0]?.ready === 2)
  expect(stack.instances()).toHaveLength(2)
})

const anAnswer = (stack: Stack) => eventually('an answer', async () => (await stack.get('/')).status === 200)

/** The parts are in order again once the stage goes on; then the rollout is led to its end. */
async function promote(stack: Stack, rollout: string): Promise<void> {
  await stack.stage(rollout, 250)
  await eventually('a promotion that was heard', async () => (await stack.refusal('promote', {})) === null)
  expect(await stack.outcome(rollout)).toBe('promoted')
}

const weightsIn = ({ sets }: { sets: { version: string; weightPermille: number }[] }) =>
  Object.fromEntries(sets.map(({ version, weightPermille }) => [version, weightPermille]))
