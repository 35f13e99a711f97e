import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { findProgram } from '../../src/adapters/tools/find-program.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { processesOf } from './kit/processes.ts'
import { eventually } from './kit/settle.ts'
import { quickAnalysis, type Stack, startStack } from './kit/stack.ts'
import { startTraffic } from './kit/traffic.ts'

const VERSIONS = { '1.0.0': {}, '1.1.0': {}, '1.2.0': { errorShare: 0.5 } }
const manual = { strategy: { canary: { steps: [{ weight: '30%', pause: 'manual' }], watch: '500ms' } } }

/** Every byte that the system's own configuration of a router has. */
function fingerprint(folder: string): string {
  if (!existsSync(folder)) return 'nothing there'
  const hash = createHash('sha256')
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) hash.update(entry.name).update(readFileSync(path.join(entry.parentPath, entry.name)))
  return hash.digest('hex')
}

const programsOf = ({ state }: Stack, router: string) =>
  processesOf(state).filter(({ command }) => command.includes(router))
const asks = async (port: number): Promise<string> => {
  const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => null)
  await answer?.arrayBuffer()
  return answer?.headers.get('x-shop-version') ?? 'nobody'
}

/**
 * Begun one after the other at this address, until it is given up. Those that were begun and did not end well: who connected
 * in the last moment, and asks after it, is told that nobody is there any more.
 */
function slowRequests(port: number): () => Promise<string[]> {
  const begun: Promise<string>[] = []
  const timer = setInterval(() => begun.push(ended(port)), 100)
  return async () => {
    clearInterval(timer)
    return (await Promise.all(begun)).filter(
      (end) => end !== 'slow' && end !== 'ECONNREFUSED' && !end.includes('"code":"NO_INSTANCE"'),
    )
  }
}

const ended = (port: number): Promise<string> =>
  fetch(`http://127.0.0.1:${port}/slow`, { headers: { connection: 'close' } }).then(
    async (answer) => (await answer.text()).trim(),
    (error) => String(error?.cause?.code ?? error),
  )

describe.each(['haproxy', 'nginx'] as const)('a service behind %s', (router) => {
  // A reload of nginx closes idle connections, and a client may be about to use one: that is its own, not ours (README).
  const connections = router === 'nginx' ? ('fresh' as const) : ('both' as const)

  it('takes a good version in and a bad one back, and loses no request, also when the controller dies (INV6)', async ({
    skip,
  }) => {
    if (findProgram(router) === null) return skip(`${router} is not installed`)
    const before = fingerprint(`/etc/${router}`)
    const stack = await startStack({ versions: VERSIONS, stable: '1.0.0', file: { router, ...manual } })
    // What a drain cuts of a WebSocket is the kit's to look at: here nothing waits for its user.
    const traffic = await startTraffic(stack, { connections, webSockets: 0 })
    const rollout = await stack.begin('1.1.0')
    const seen = async () => (await stack.rollout(rollout)).rollout
    await eventually('it is at 30%', async () => (await seen()).weight.observedPermille === 300)
    await eventually('it is counted', async () => (await seen()).exposure.requests > 20)
    await stack.kill('controller')
    expect(await asks(stack.port)).toMatch(/^1\.[01]\.0$/)
    await stack.startController()
    await stack.call('promote', {}, z.unknown())
    expect(await stack.outcome(rollout)).toBe('promoted')
    // The 5xx of a bad version are its own and count as answered.
    const bad = await stack.deploy('1.2.0')
    expect([bad.outcome, await asks(stack.port)]).toEqual(['rolled_back', '1.1.0'])
    const { requests } = await traffic.stop()
    expect(requests.lost).toEqual({ count: 0, byKind: {}, samples: [] })
    const down = await stack.cli('down', '--yes')
    expect(down.code, down.err).toBe(0)
    await eventually('its programs are gone', () => programsOf(stack, router).length === 0)
    expect(fingerprint(`/etc/${router}`)).toBe(before)
  })
})

const AB = {
  ab: {
    variants: [{ name: 'green', share: '50%' }],
    for: '10m',
    goal: { request: 'GET /marker' },
    watch: '500ms',
  },
}

describe.each(['haproxy', 'nginx'] as const)('an A/B test behind %s', (router) => {
  it('deals users once, and counts who reached the goal (S45, S48)', async ({ skip }) => {
    if (findProgram(router) === null) return skip(`${router} is not installed`)
    const stack = await startStack({ versions: VERSIONS, stable: '1.0.0', file: { router, strategy: AB } })
    const rollout = await stack.begin('1.1.0')
    await stack.stage(rollout, 500)
    const visit = async (path: string, cookie = '') => {
      const answer = await fetch(`${stack.url}${path}`, { headers: { cookie } })
      await answer.arrayBuffer()
      const given = answer.headers.getSetCookie().map((one) => one.split(';')[0] ?? '')
      const seen = `${answer.status} ${answer.headers.get('x-shop-version')} ${answer.headers.get('x-variant')}`
      return { seen, cookie: [cookie, ...given].filter(Boolean).join('; ') }
    }
    let green = 0
    for (let user = 0; user < 40; user += 1) {
      const first = await visit('/')
      const second = await visit('/marker', first.cookie)
      const third = await visit('/marker', second.cookie)
      expect([second.seen, third.seen], third.cookie).toEqual([first.seen, first.seen])
      if (first.seen === '200 1.1.0 green') green += 1
      else expect(first.seen).toMatch(/^200 1\.0\.0 /)
    }
    const arms = async () =>
      Object.fromEntries(
        ((await stack.view()).rollout?.ab?.arms ?? []).map(({ name, users, goals }) => [
          name,
          [users, goals],
        ]),
      )
    await eventually('all are counted', async () => {
      const [, goals] = (await arms()).green ?? []
      return goals === green && (await arms()).control?.[1] === 40 - green
    })
    expect(await arms()).toEqual({ green: [green, green], control: [40 - green, 40 - green] })
    await stack.call('abort', {}, z.unknown())
    expect(await stack.outcome(rollout)).toBe('aborted')
  })
})

// A second of it is over before the first lines are read: a reload takes half of one, and lines come every half second.
const shadow = (more: object) => ({ shadow: { share: '100%', for: '3s', watch: '500ms', ...more } })

describe('a shadow behind nginx', () => {
  it('is judged by status and latency before any user meets it, and refused where bodies are asked for (S40)', async ({
    skip,
  }) => {
    if (findProgram('nginx') === null) return skip('nginx is not installed')
    const file = { router: 'nginx', strategy: shadow({}), analysis: { ...quickAnalysis, interval: '300ms' } }
    const stack = await startStack({ versions: VERSIONS, stable: '1.0.0', file })
    stack.writeFile({ ...file, strategy: shadow({ compare: { body: 'exact' } }) })
    expect(await stack.refusal('deploy', { version: '1.1.0' })).toBe('ROUTER_CANNOT')
    stack.writeFile(file)
    expect((await stack.cli('plan', '1.1.0')).out).toContain('"connection: close"')
    const traffic = await startTraffic(stack, { ratePerSecond: 60, connections: 'fresh', webSockets: 0 })
    // Long enough for a verdict on any machine.
    stack.writeFile({ ...file, strategy: shadow({ for: '10m' }) })
    const bad = await stack.deploy('1.2.0')
    expect([bad.outcome, bad.exposure.requests]).toEqual(['rolled_back', 0])
    stack.writeFile(file)
    const good = await stack.deploy('1.1.0')
    expect([good.outcome, good.shadow?.errors.candidate]).toEqual(['promoted', 0])
    expect(good.shadow?.pairs).toBeGreaterThan(0)
    const { requests } = await traffic.stop()
    expect(requests.lost.count).toBe(0)
  })
})

describe('a service that changes its router (S131)', () => {
  it('is served at both addresses until the new routes are confirmed, and comes back with a rollback', async ({
    skip,
  }) => {
    if (findProgram('haproxy') === null) return skip('haproxy is not installed')
    const stack = await startStack({ versions: VERSIONS, stable: '1.0.0', file: manual })
    stack.writeFile({ ...manual, router: 'haproxy' })
    expect(await stack.refusal('deploy', { version: '1.1.0' })).toBe('ROUTER_ADDRESS_HELD')
    const second = await freePort()
    stack.writeFile({ ...manual, router: 'haproxy', listen: `127.0.0.1:${second}` })
    const finishes = (who: string) => async () =>
      (await stack.view()).besides?.some(({ sentence }) =>
        sentence.startsWith(`${who}, which served before, f`),
      )
    const atOld = slowRequests(stack.port)
    const rollout = await stack.begin('1.1.0')
    await eventually('the new address serves', async () => (await asks(second)) !== 'nobody')
    await eventually('the old address is given up', async () => (await asks(stack.port)) === 'nobody')
    // What is under way there is watched, and ends well.
    await eventually('the proxy finishes what it has', finishes('the built-in proxy'))
    expect(await atOld()).toEqual([])
    const atNew = slowRequests(second)
    await eventually('some of them are under way', async () => (await asks(second)) !== 'nobody')
    await stack.call('abort', {}, z.unknown())
    expect(await stack.outcome(rollout)).toBe('aborted')
    await eventually('HAProxy finishes what it has', finishes('HAProxy'))
    await eventually('the old address serves again', async () => (await asks(stack.port)) === '1.0.0')
    await eventually('the new one is given up', async () => (await asks(second)) === 'nobody')
    expect(await atNew()).toEqual([])
    await eventually('nothing is left of it', async () => (await stack.view()).besides === undefined)
  })
})
