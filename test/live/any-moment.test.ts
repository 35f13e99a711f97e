import { expect, it } from 'vitest'
import * as z from 'zod'
import { slowness } from '../../src/testkit/slowness.test.kit.ts'
import { eventsOf } from './kit/journal.ts'
import { killHard } from './kit/processes.ts'
import { eventually } from './kit/settle.ts'
import { quickAnalysis, type Stack, startStack } from './kit/stack.ts'
import { expectNothingLost, startTraffic } from './kit/traffic.ts'

const slowSteps = {
  canary: {
    steps: [{ weight: '25%', pause: '30s' }, { weight: '60%', pause: '30s' }, { weight: '100%' }],
    watch: '30s',
    hold: '200ms',
  },
}

it('a deploy that is aborted in the same moment ends as aborted and leaves nothing running (S79)', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': {} },
    stable: '1.0.0',
    file: { strategy: slowSteps },
  })
  const both = stack.begin('1.1.0')
  // The abort is asked for as soon as there is anything to abort: before the start was acknowledged.
  await eventually('an abort that was heard', async () => (await stack.refusal('abort', {})) === null)

  expect(await stack.outcome(await both)).toBe('aborted')
  await onlyStableRuns(stack)
})

it('an abort while instances start stops them, and the same version can be deployed again', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': { listensAfterMs: 1500 } },
    stable: '1.0.0',
  })
  const traffic = await startTraffic(stack, { slow: 0 })
  const rollout = await stack.begin('1.1.0')
  await eventually('starting instances', () => stack.instances().length === 4)
  await stack.call('abort', { reason: 'changed my mind' }, z.unknown())

  expect(await stack.outcome(rollout)).toBe('aborted')
  expect((await stack.rollout(rollout)).rollout.reason.message).toContain('changed my mind')
  expect((await stack.deploy('1.1.0')).outcome).toBe('promoted')
  expectNothingLost(await traffic.stop())
  await eventually('only the new instances', () => stack.instances().length === 2)
})

it('a candidate whose processes die at 60% loses its weight at once, and only requests that met the dead processes fail (S111)', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': {} },
    stable: '1.0.0',
    file: {
      strategy: { canary: { steps: [{ weight: '60%', pause: '30s' }, { weight: '100%' }], hold: '200ms' } },
      analysis: { ...quickAnalysis, interval: '60s', crashLimit: 1 },
    },
  })
  const stable = new Set(stack.instances())
  const traffic = await startTraffic(stack, { slow: 0, webSockets: 0, ratePerSecond: 100 })
  const rollout = await stack.begin('1.1.0')
  await stack.stage(rollout, 600)

  const candidates = stack.instances().filter((pid) => !stable.has(pid))
  expect(candidates).toHaveLength(2)
  const diedAt = performance.now()
  for (const pid of candidates) killHard(pid)
  const { inFlight } = traffic.load.stats()
  await eventually('no weight on the candidate', async () =>
    (await stack.router()).sets.every((set) => set.version !== '1.1.0' || set.weightPermille === 0),
  )
  const offMs = performance.now() - diedAt

  expect(await stack.outcome(rollout)).toBe('rolled_back')
  const { requests } = await traffic.stop()
  console.log(
    `candidate killed at 60%: weight off after ${Math.round(offMs)} ms, ${requests.lost.count} of ${requests.sent} requests lost ${JSON.stringify(requests.lost.byKind)}`,
  )
  // Far before the next look at the numbers, which comes once a minute here.
  expect(offMs).toBeLessThan(2000 * slowness())
  // Until then each request that the split gave to the candidate finds nobody there. Stable answered everything else.
  expect(requests.lost.count).toBeLessThan(0.6 * 100 * ((offMs + 500) / 1000))
  // One that was on an instance when it died is the candidate's own error.
  const { 200: good = 0, 502: cutByDeath = 0, ...others } = requests.byStatus
  expect({ answered: good + cutByDeath, others }).toEqual({ answered: requests.answered, others: {} })
  expect(cutByDeath).toBeLessThan(10 + inFlight)
  expect((await stack.rollout(rollout)).rollout.reason.code).toMatch(/INSTANCES_FAILING|CRASH_LOOP/)
})

it('a newer release takes the place of the candidate, whose traffic returns to stable first (S95, S96)', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': {}, '1.2.0': {} },
    stable: '1.0.0',
    file: { strategy: slowSteps },
  })
  const traffic = await startTraffic(stack)
  const first = await stack.begin('1.1.0')
  await stack.stage(first, 250)
  const second = await stack.begin('1.2.0')

  expect(await stack.outcome(first)).toBe('superseded')
  await stack.stage(second, 250)
  expect((await stack.rollout(second)).rollout.from?.version).toBe('1.0.0')
  // Never both candidates at once.
  for (const { weights } of eventsOf(stack.journal(), 'weights-decided'))
    expect(Object.values(weights).filter((weight) => weight > 0).length).toBeLessThanOrEqual(2)
  await stack.call('promote', { full: true }, z.unknown())
  await stack.weight('1.2.0', 1000)
  expectNothingLost(await traffic.stop())
})

it('a newer release waits while the one before is watched, and --now ends the watch', async () => {
  const steps = {
    canary: { steps: [{ weight: '50%', pause: '200ms' }, { weight: '100%' }], watch: '30s', hold: '200ms' },
  }
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': {}, '1.2.0': {} },
    stable: '1.0.0',
    file: { strategy: steps },
  })
  const traffic = await startTraffic(stack)
  const first = await stack.begin('1.1.0')
  await eventually('the watch', async () => (await stack.rollout(first)).rollout.waitingOn?.kind === 'watch')

  const second = await stack.begin('1.2.0')
  expect((await stack.view()).queued?.version).toBe('1.2.0')
  expect((await stack.rollout(first)).rollout.outcome).toBeNull()

  const third = await stack.begin('1.2.0', { now: true })
  expect(await stack.outcome(first)).toBe('promoted')
  await eventually('1.2.0 on its way', async () => (await stack.view()).rollout?.to.version === '1.2.0')
  await stack.weight('1.2.0', 1000)
  expectNothingLost(await traffic.stop())
  expect((await stack.rollout(third)).rollout.from?.version).toBe('1.1.0')
  expect(await stack.outcome(second)).toBe('superseded')
})

async function onlyStableRuns(stack: Stack): Promise<void> {
  await eventually(
    'nothing but stable',
    async () =>
      stack.instances().length === 2 &&
      (await stack.view()).sets.length === 1 &&
      (await stack.router()).sets.length === 1,
  )
  expect((await stack.router()).sets).toMatchObject([{ version: '1.0.0', weightPermille: 1000 }])
}
