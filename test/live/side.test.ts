import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { freePort } from '../../src/testkit/free-port.ts'
import { eventually } from './kit/settle.ts'
import { type Stack, startStack } from './kit/stack.ts'
import { keepAsking } from './kit/traffic.ts'

const VERSIONS = { '1.0.0': {}, '1.1.0': {} }
type Asked = { version: string; cookies: string[] }

async function ask(port: number, headers: Record<string, string> = {}): Promise<Asked> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers })
  await answer.arrayBuffer()
  return { version: answer.headers.get('x-shop-version') ?? '', cookies: answer.headers.getSetCookie() }
}
const shows = async (port: number, version: string) => (await ask(port)).version === version
const waitsForPerson = async (stack: Stack, rollout: string) =>
  (await stack.rollout(rollout)).rollout.waitingOn?.kind === 'person'
const canary = (change: object) => ({
  strategy: {
    canary: {
      steps: [
        { weight: '20%', pause: 'manual' },
        { weight: '60%', pause: 'manual' },
      ],
      watch: '500ms',
      ...change,
    },
  },
})
const tester = { 'x-tester': 'qa-7' }
const ROUTES = [
  { header: { name: 'x-tester', pattern: 'qa-*' } },
  { cookie: { name: 'group', value: 'testers' } },
]

describe('who reaches the candidate besides the weights', () => {
  it('sees it at the preview address before the switch, and never by the live one (S27)', async () => {
    const preview = await freePort()
    const blueGreen = { switch: 'manual', watch: '500ms', preview: `127.0.0.1:${preview}` }
    const stack = await startStack({ versions: VERSIONS, stable: '1.0.0', file: { strategy: { blueGreen } } })
    await eventually('the preview shows stable', () => shows(preview, '1.0.0'))
    const planned = await stack.cli('plan', '1.1.0')
    expect(planned.out).toContain(`127.0.0.1:${preview} shows the candidate once it has a ready instance`)
    const rollout = await stack.begin('1.1.0')
    await eventually('the preview shows the candidate', () => shows(preview, '1.1.0'))
    for (let turn = 0; turn < 20; turn += 1) expect((await ask(stack.port)).version).toBe('1.0.0')
    expect((await stack.cli('status')).out).toContain(`127.0.0.1:${preview} shows 1.1.0`)
    await eventually('it waits', () => waitsForPerson(stack, rollout))
    expect((await stack.rollout(rollout)).rollout.exposure.requests).toBe(0)
    await stack.call('promote', {}, z.unknown())
    expect(await stack.outcome(rollout)).toBe('promoted')
    expect(await shows(stack.port, '1.1.0')).toBe(true)
  })

  it('is told why the preview does not open while its port is taken, and the release goes on', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const preview = typeof address === 'object' && address !== null ? address.port : 0
    const blueGreen = { switch: 'manual', watch: '500ms', preview: `127.0.0.1:${preview}` }
    const stack = await startStack({ versions: VERSIONS, stable: '1.0.0', file: { strategy: { blueGreen } } })
    const rollout = await stack.begin('1.1.0')
    const warned = async () =>
      (await stack.view()).warnings.some((warning) => warning.includes(`${preview} cannot be opened`))
    await eventually('the trouble is told', warned)
    await eventually('it waits', () => waitsForPerson(stack, rollout))
    taken.close()
    await eventually('the preview opens', () => shows(preview, '1.1.0'))
    await eventually('the trouble is over', async () => !(await warned()))
    await stack.call('promote', {}, z.unknown())
    expect(await stack.outcome(rollout)).toBe('promoted')
  })

  it('comes there by header or cookie, at every weight and over deaths of parts, until an abort (S42, S43, S44)', async () => {
    const stack = await startStack({ versions: VERSIONS, stable: '1.0.0', file: canary({ routes: ROUTES }) })
    keepAsking(stack)
    const rollout = await stack.begin('1.1.0')
    const isTester = async (headers: Record<string, string>) =>
      (await ask(stack.port, headers)).version === '1.1.0'
    for (const permille of [200, 600]) {
      await stack.stage(rollout, permille)
      await eventually('it waits', () => waitsForPerson(stack, rollout))
      for (let turn = 0; turn < 15; turn += 1) {
        expect(await isTester(tester)).toBe(true)
        expect(await isTester({ cookie: 'a=1; group=testers' })).toBe(true)
      }
      if (permille === 200) await stack.call('promote', {}, z.unknown())
    }
    await stack.kill('proxy')
    await stack.kill('controller')
    await stack.startController()
    await eventually('testers are there again', () => isTester(tester))
    for (let turn = 0; turn < 15; turn += 1) expect(await isTester(tester)).toBe(true)
    expect((await stack.cli('status')).out).toContain(
      'requests whose header x-tester fits "qa-*" go to 1.1.0',
    )
    await stack.call('abort', {}, z.unknown())
    expect(await stack.outcome(rollout)).toBe('aborted')
    for (let turn = 0; turn < 15; turn += 1) expect(await isTester(tester)).toBe(false)
    expect((await stack.router()).sets.length).toBeGreaterThan(0)
  })

  it('stays there as a user while weights rise, in the declared share, and is let go at the end (S46, S47)', async () => {
    const stack = await startStack({
      versions: VERSIONS,
      stable: '1.0.0',
      file: canary({ sticky: { for: '1h' } }),
    })
    expect((await ask(stack.port)).cookies).toEqual([])
    keepAsking(stack)
    const rollout = await stack.begin('1.1.0')
    await stack.stage(rollout, 200)
    const users = new Map<string, string>()
    for (let turn = 0; turn < 200; turn += 1) {
      const { version, cookies } = await ask(stack.port)
      users.set(cookies[0]?.split(';')[0] ?? '', version)
    }
    expect(users.size).toBe(200)
    const onCandidate = () => [...users.values()].filter((version) => version === '1.1.0').length
    // 20% of 200; so far off happens less often than once in a million.
    expect(Math.abs(onCandidate() - 40)).toBeLessThan(30)
    await eventually('it waits', () => waitsForPerson(stack, rollout))
    await stack.call('promote', {}, z.unknown())
    await stack.stage(rollout, 600)
    for (const [cookie, before] of users) {
      const { version, cookies } = await ask(stack.port, { cookie })
      expect(cookies).toEqual([])
      if (before === '1.1.0') expect(version).toBe('1.1.0')
      users.set(cookie, version)
    }
    expect(Math.abs(onCandidate() - 120)).toBeLessThan(36)
    await stack.call('abort', {}, z.unknown())
    expect(await stack.outcome(rollout)).toBe('aborted')
    for (const [cookie] of [...users].slice(0, 20)) {
      const { version, cookies } = await ask(stack.port, { cookie })
      expect(version).toBe('1.0.0')
      expect(cookies[0]).toMatch(/^sluice-release=; Path=\/; Max-Age=0/)
    }
  })
})
