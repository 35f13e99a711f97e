import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { findProgram } from '../../src/adapters/tools/find-program.ts'
import { freePort } from './kit/ports.ts'
import { processesOf } from './kit/processes.ts'
import { eventually } from './kit/settle.ts'
import { type Stack, startStack } from './kit/stack.ts'
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
    const rollout = await stack.begin('1.1.0')
    await eventually('the new address serves', async () => (await asks(second)) !== 'nobody')
    await eventually('the old address is given up', async () => (await asks(stack.port)) === 'nobody')
    await stack.call('abort', {}, z.unknown())
    expect(await stack.outcome(rollout)).toBe('aborted')
    await eventually('the old address serves again', async () => (await asks(stack.port)) === '1.0.0')
    await eventually('the new one is given up', async () => (await asks(second)) === 'nobody')
  })
})
