import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import * as z from 'zod'
import { slowness } from '../../src/testkit/slowness.test.kit.ts'
import { eventually } from './kit/settle.ts'
import { impatientHealth, STREAM, type Stack, startStack } from './kit/stack.ts'
import { expectNothingLost, keepAsking, startTraffic } from './kit/traffic.ts'

const REPLICAS = 3
const LOOK_EVERY_MS = 40

const rolling = (change: object = {}) => ({
  run: {
    artifact: './releases/{{version}}',
    command: 'node server.js',
    replicas: REPLICAS,
    stopGrace: '5s',
  },
  strategy: { rolling: { pause: '400ms', watch: '500ms', ...change } },
})
const Instances = z.object({ instances: z.array(z.object({ release: z.string(), state: z.string() })) })

/** Looks at the agent and the data plane all the time: fewest that take requests, and most that run. */
function keepCounting(stack: Stack): { fewest: number; most: number; looks: number } {
  const counted = { fewest: Number.POSITIVE_INFINITY, most: 0, looks: 0 }
  let isOver = false
  onTestFinished(() => {
    isOver = true
  })
  async function look(): Promise<void> {
    const { sets } = await stack.router()
    const active = sets.flatMap(({ instances }) => instances).filter(({ state }) => state === 'active').length
    const { instances } = Instances.parse((await stack.agentCall('GET', `/services/${STREAM}`)).body)
    const running = instances.filter(({ state }) => state !== 'gone' && state !== 'stopping').length
    counted.fewest = Math.min(counted.fewest, active)
    counted.most = Math.max(counted.most, running)
    counted.looks += 1
  }
  async function keepLooking(): Promise<void> {
    while (!isOver) {
      await look().catch(() => undefined)
      await sleep(LOOK_EVERY_MS)
    }
  }
  void keepLooking()
  return counted
}

const running = async (stack: Stack, version: string): Promise<number> =>
  (await stack.view()).sets
    .filter((set) => set.version === version)
    .flatMap(({ instances }) => instances)
    .filter(({ state }) => state === 'ready').length

describe('rolling through the real parts', () => {
  it('replaces three instances under load, over a killed controller and back again, and loses nothing', async () => {
    const stack = await startStack({
      versions: { '1.0.0': {}, '1.1.0': {} },
      stable: '1.0.0',
      file: rolling({ pause: 'manual' }),
    })
    const counted = keepCounting(stack)
    const ratePerSecond = Math.round(200 / Math.max(1, slowness() / 4))
    const traffic = await startTraffic(stack, { ratePerSecond, webSockets: 6 })

    const deployed = await stack.begin('1.1.0')
    await stack.stage(deployed, 333)
    await stack.call('promote', {}, z.unknown())
    // In the middle of the second batch.
    await stack.kill('controller')
    await stack.startController()
    await stack.stage(deployed, 666)
    await stack.call('promote', {}, z.unknown())
    expect(await stack.outcome(deployed)).toBe('promoted')

    const { rollout } = await stack.call('rollback', {}, z.object({ rollout: z.string() }))
    expect(await stack.outcome(rollout)).toBe('promoted')
    await eventually('all three of the old version serve', async () => (await running(stack, '1.0.0')) === 3)

    const users = await traffic.stop()
    const { sent, byVersion, latency } = users.requests
    console.log(
      `${sent} requests, ${JSON.stringify(byVersion)}, p50 ${latency.p50Ms?.toFixed(1)} ms; ${counted.looks} looks, at least ${counted.fewest} serve, at most ${counted.most} run`,
    )
    expectNothingLost(users)
    expect(counted.fewest).toBeGreaterThanOrEqual(REPLICAS)
    expect(counted.most).toBeLessThanOrEqual(REPLICAS + 1)
    expect(counted.looks).toBeGreaterThan(20)
    const { loss } = (await stack.rollout(deployed)).rollout
    expect(loss).toMatchObject({ requestsLost: 0, cutOnDrain: 0 })
  })

  it('takes a bad version back in reverse batches, and never fewer serve than were', async () => {
    const stack = await startStack({
      versions: { '1.0.0': {}, '1.1.0': { errorShare: 0.5 } },
      stable: '1.0.0',
      file: rolling({ pause: '30s' }),
    })
    const counted = keepCounting(stack)
    keepAsking(stack)
    const rollout = await stack.deploy('1.1.0')
    expect(rollout).toMatchObject({ outcome: 'rolled_back', reason: { code: 'CHECK_CRITICAL' } })
    await eventually('all of stable serve again', async () => (await running(stack, '1.0.0')) === REPLICAS)
    await eventually('the bad version is gone', async () => (await stack.view()).sets.length === 1)
    expect(counted.fewest).toBeGreaterThanOrEqual(REPLICAS)
    expect(counted.most).toBeLessThanOrEqual(REPLICAS + 1)
    const grown = stack
      .journal()
      .findIndex(({ event }) => event.kind === 'set-wanted' && event.role === 'stable')
    const back = stack.journal().findIndex(({ event }) => event.kind === 'outcome-reached')
    expect(grown).toBeGreaterThan(0)
    expect(back).toBeGreaterThan(0)
  })

  it('loses no instance of stable for a version that never becomes ready (S38)', async () => {
    const stack = await startStack({
      versions: { '1.0.0': {}, '1.1.0': { neverReady: true } },
      stable: '1.0.0',
      file: { ...rolling(), health: impatientHealth },
    })
    const counted = keepCounting(stack)
    expect(await stack.deploy('1.1.0')).toMatchObject({
      outcome: 'rolled_back',
      reason: { code: 'NEVER_READY' },
    })
    expect(counted.fewest).toBe(REPLICAS)
    expect(stack.journal().filter(({ event }) => event.kind === 'set-shrunk')).toEqual([])
  })
})
