import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { eventually } from './kit/settle.ts'
import { type Stack, startStack } from './kit/stack.ts'
import { expectNothingLost, startTraffic } from './kit/traffic.ts'

const shadow = (more: object = {}) => ({
  strategy: { shadow: { share: '100%', for: '2s', compare: { body: 'exact' }, watch: '500ms', ...more } },
})
const shadowOf = async (stack: Stack) => (await stack.view()).rollout?.shadow
const pairs = async (stack: Stack) => (await shadowOf(stack))?.pairs ?? 0
const ask = async (stack: Stack, path: string): Promise<string> =>
  (await fetch(`${stack.url}${path}`)).headers.get('x-shop-version') ?? ''

describe('a shadow through the real parts', () => {
  it('copies requests while users stay with stable, says what came of it, and then moves all of them (S40)', async () => {
    const stack = await startStack({
      versions: { '1.0.0': {}, '1.1.0': {} },
      stable: '1.0.0',
      // What it answers names its version.
      file: shadow({ for: 'manual', compare: { body: 'off' } }),
    })
    const planned = await stack.cli('plan', '1.1.0')
    expect(planned.out).toContain('copy 100% of requests until promoted by hand')
    expect(planned.out).toContain('No user has seen it')
    const rollout = await stack.begin('1.1.0')
    const traffic = await startTraffic(stack, { ratePerSecond: 60, webSockets: 2 })
    await eventually('some are compared', async () => (await pairs(stack)) > 60)
    for (let turn = 0; turn < 20; turn += 1) expect(await ask(stack, '/marker')).toBe('1.0.0')
    await stack.kill('proxy')
    const before = await pairs(stack)
    await eventually('it goes on with a new data plane', async () => (await pairs(stack)) > before + 30)
    const status = await stack.cli('status')
    expect(status.out).toMatch(/shadow +\d+ requests were copied: of \d+ answers 0 differ in the status/)
    expect((await stack.view()).rollout?.exposure.requests).toBe(0)
    await stack.call('promote', {}, z.unknown())
    expect(await stack.outcome(rollout)).toBe('promoted')
    expect(await ask(stack, '/')).toBe('1.1.0')
    await traffic.stop()
    const explained = await stack.cli('explain', 'last')
    expect(explained.out).toMatch(/shadow +\d+ requests were copied/)
    const record = (await stack.rollout(rollout)).rollout
    expect(record.exposure.requests).toBeGreaterThan(0)
  })

  it('takes a version back that no user met, for its errors or for its answers (S40)', async () => {
    const stack = await startStack({
      versions: {
        '1.0.0': { marker: 'same' },
        '1.1.0': { marker: 'same', errorShare: 0.5 },
        '1.2.0': { marker: 'another' },
      },
      stable: '1.0.0',
      file: { ...shadow({ for: '10m' }), rollback: { breaker: 'off' } },
    })
    const traffic = await startTraffic(stack, { ratePerSecond: 60 })
    const asking = setInterval(() => void ask(stack, '/marker').catch(() => undefined), 20)
    const found = []
    for (const version of ['1.1.0', '1.2.0']) {
      const { outcome, exposure, reason } = await stack.deploy(version)
      found.push({ version, outcome, requests: exposure.requests, check: reason.evidence.check })
    }
    clearInterval(asking)
    expect(found).toMatchObject([
      { version: '1.1.0', outcome: 'rolled_back', requests: 0 },
      { version: '1.2.0', outcome: 'rolled_back', requests: 0, check: 'differing answers' },
    ])
    const users = await traffic.stop()
    expectNothingLost(users)
    expect(Object.keys(users.requests.byStatus)).toEqual(['200'])
  })
})
