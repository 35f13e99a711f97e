import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { slowness } from '../../src/testkit/slowness.test.kit.ts'
import { eventually } from './kit/settle.ts'
import { startStack } from './kit/stack.ts'
import { expectNothingLost, keepAsking, startTraffic } from './kit/traffic.ts'

const blueGreen = (change: object = {}) => ({
  strategy: { blueGreen: { watch: '500ms', hold: '10s', warm: '60s', ...change } },
})
const marker = (expected: string) => ({ http: '/marker', expect: { contains: expected } })

describe('blue-green through the real parts', () => {
  it('switches, goes back to the kept set at once and loses nothing at 300 requests per second (S37, S90)', async () => {
    const stack = await startStack({
      versions: { '1.0.0': {}, '1.1.0': {} },
      stable: '1.0.0',
      file: blueGreen(),
    })
    const ratePerSecond = Math.round(300 / Math.max(1, slowness() / 4))
    const traffic = await startTraffic(stack, { ratePerSecond, webSockets: 10 })

    const deployed = await stack.deploy('1.1.0')
    expect(deployed.outcome).toBe('promoted')
    const kept = (await stack.view()).sets.find(({ version }) => version === '1.0.0')
    expect(kept).toMatchObject({ role: 'warm' })
    const pids = kept?.instances.map(({ pid }) => pid)

    const { rollout } = await stack.call('rollback', {}, z.object({ rollout: z.string() }))
    await stack.weight('1.0.0', 1000)
    const back = (await stack.view()).sets.find(({ version }) => version === '1.0.0')
    expect(back?.instances.map(({ pid }) => pid)).toEqual(pids)
    expect(await stack.outcome(rollout)).toBe('promoted')

    const users = await traffic.stop()
    expectNothingLost(users)
    expect(users.webSockets.opened).toBe(10)
  })

  it('never gives traffic to a candidate that fails its checks, and says what came and what was expected (S31)', async () => {
    const stack = await startStack({
      versions: { '1.0.0': { marker: 'good' }, '1.1.0': { marker: 'wrong bytes' } },
      stable: '1.0.0',
      file: { ...blueGreen({ hold: '10m' }), verify: [{ ...marker('good'), when: 'before' }] },
    })
    keepAsking(stack)
    const rollout = await stack.deploy('1.1.0')
    expect(rollout).toMatchObject({ outcome: 'rolled_back', reason: { code: 'VERIFY_FAILED' } })
    expect(rollout.reason.message).toContain('GET /marker answered without "good": "wrong bytes"')
    expect(rollout.exposure.requests).toBe(0)
    const held = (await stack.view()).sets.find(({ version }) => version === '1.1.0')
    expect(held).toMatchObject({ role: 'held' })
    const asked = await stack.cli('verify', '--candidate')
    expect(asked).toMatchObject({ code: 1, out: expect.stringContaining('✗ GET /marker') })
    expect((await stack.cli('verify')).code).toBe(0)
  })

  it('waits with the switch for a person, and makes its checks again when the controller died in the middle (S28)', async () => {
    const stack = await startStack({
      versions: { '1.0.0': {}, '1.1.0': {} },
      stable: '1.0.0',
      file: {
        ...blueGreen({ switch: 'manual' }),
        verify: [{ name: 'slow', command: ['sh', '-c', 'echo once >> checks.log; sleep 2'], when: 'before' }],
      },
    })
    const rollout = await stack.begin('1.1.0')
    const waitsFor = async (kind: string) => (await stack.rollout(rollout)).rollout.waitingOn?.kind === kind
    await eventually('the checks are made', () => waitsFor('checks'))
    await stack.kill('controller')
    await stack.startController()
    await eventually('it waits for a person', () => waitsFor('person'))
    const candidate = (await stack.view()).sets.find(({ version }) => version === '1.1.0')
    expect(candidate).toMatchObject({ role: 'candidate', desiredWeightPermille: 0 })
    const log = readFileSync(path.join(stack.folder, 'checks.log'), 'utf8')
    expect(log.split('\n').length - 1).toBeGreaterThanOrEqual(2)
    await stack.call('promote', {}, z.unknown())
    expect(await stack.outcome(rollout)).toBe('promoted')
  })
})
