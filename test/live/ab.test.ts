import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { eventually } from './kit/settle.ts'
import { type Stack, startStack } from './kit/stack.ts'

const VERSIONS = { '1.0.0': {}, '1.1.0': {} }
const ab = (more: object = {}) => ({
  strategy: {
    ab: {
      variants: [
        { name: 'green', share: '25%' },
        { name: 'blue', share: '25%' },
      ],
      for: '2s',
      goal: { request: 'GET /marker' },
      watch: '500ms',
      ...more,
    },
  },
})

type Visit = { version: string; variant: string; cookie: string }

async function visit(stack: Stack, path: string, headers: Record<string, string> = {}): Promise<Visit> {
  const answer = await fetch(`${stack.url}${path}`, { headers })
  await answer.arrayBuffer()
  const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? '')
  return {
    version: answer.headers.get('x-shop-version') ?? '',
    variant: answer.headers.get('x-variant') ?? '',
    cookie: cookies.join('; '),
  }
}
const armOf = async (stack: Stack, name: string) =>
  (await stack.view()).rollout?.ab?.arms.find((arm) => arm.name === name)
const waitsForPerson = async (stack: Stack, rollout: string) =>
  (await stack.rollout(rollout)).rollout.waitingOn?.kind === 'person'

describe('an A/B test through the real parts', () => {
  it('keeps users in their variant, counts each once, says the result and waits for a decision (S45, S48)', async () => {
    const stack = await startStack({ versions: VERSIONS, stable: '1.0.0', file: ab() })
    const planned = await stack.cli('plan', '1.1.0')
    expect(planned.out).toContain('green 25%, blue 25%, control 50%')
    const rollout = await stack.begin('1.1.0')
    await stack.weight('1.1.0', 500)
    const users: Visit[] = []
    for (let turn = 0; turn < 160; turn += 1) users.push(await visit(stack, '/'))
    const inArm = (name: string) => users.filter(({ variant }) => variant === name)
    expect(users.every(({ version, variant }) => (version === '1.1.0') === (variant !== ''))).toBe(true)
    // 40 of 160 are due in each; so far off happens less often than once in a million.
    for (const name of ['green', 'blue']) expect(Math.abs(inArm(name).length - 40)).toBeLessThan(28)
    for (const user of inArm('green').slice(0, 12)) {
      const first = await visit(stack, '/marker', { cookie: user.cookie, 'sluice-variant': 'blue' })
      expect(first).toMatchObject({ version: '1.1.0', variant: 'green' })
      await visit(stack, '/marker', { cookie: `${user.cookie}; ${first.cookie}` })
    }
    for (const user of inArm('').slice(0, 3)) await visit(stack, '/marker', { cookie: user.cookie })
    await eventually('all are counted', async () => (await armOf(stack, 'control'))?.goals === 3)
    expect(await armOf(stack, 'green')).toMatchObject({ goals: 12, users: inArm('green').length })
    expect(await armOf(stack, 'blue')).toMatchObject({ goals: 0, users: inArm('blue').length })
    await eventually('its time is over', () => waitsForPerson(stack, rollout))
    await stack.kill('proxy')
    await stack.kill('controller')
    await stack.startController()
    await eventually('it is still known', async () => (await armOf(stack, 'green'))?.goals === 12)
    const status = await stack.cli('status')
    expect(status.out).toMatch(/a\/b +stable is the control: 3 of its users reached GET \/marker/)
    expect(status.out).toMatch(/green \(25%\): 12 reached the goal, 3 in the control \(50%\)/)
    const explained = await stack.cli('explain', 'last')
    expect(explained.out).toContain('times as often as the control with 97.5% confidence')
    await eventually('it waits', () => waitsForPerson(stack, rollout))
    await stack.call('promote', {}, z.unknown())
    expect(await stack.outcome(rollout)).toBe('promoted')
    expect(await visit(stack, '/', { cookie: users[0]?.cookie ?? '' })).toMatchObject({ variant: '' })
  })

  it('knows users by what the service says about them, and others stay with stable uncounted', async () => {
    const file = ab({ by: { header: 'x-user' }, for: '10m' })
    const stack = await startStack({ versions: VERSIONS, stable: '1.0.0', file })
    await stack.begin('1.1.0')
    await stack.weight('1.1.0', 500)
    for (let turn = 0; turn < 20; turn += 1) expect((await visit(stack, '/')).version).toBe('1.0.0')
    for (let user = 0; user < 20; user += 1) {
      const first = await visit(stack, '/', { 'x-user': `user-${user}` })
      for (let turn = 0; turn < 3; turn += 1)
        expect(await visit(stack, '/', { 'x-user': `user-${user}` })).toEqual(first)
    }
    await stack.call('abort', {}, z.unknown())
    await eventually('it is over', async () => (await stack.view()).rollout?.outcome === 'aborted')
    for (let user = 0; user < 20; user += 1)
      expect((await visit(stack, '/', { 'x-user': `user-${user}` })).version).toBe('1.0.0')
  })
})
