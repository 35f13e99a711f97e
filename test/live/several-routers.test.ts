import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { findProgram } from '../../src/adapters/tools/find-program.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { startLoad } from '../../src/testkit/load/load.ts'
import { processesOf } from './kit/processes.ts'
import { eventually } from './kit/settle.ts'
import { type Stack, startStack } from './kit/stack.ts'
import { startTraffic } from './kit/traffic.ts'

const VERSIONS = { '1.0.0': {}, '1.1.0': {}, '1.2.0': { errorShare: 0.5 } }
const manual = { strategy: { canary: { steps: [{ weight: '30%', pause: 'manual' }], watch: '500ms' } } }
const NOTHING = { count: 0, byKind: {}, samples: [] }

const haproxyOf = ({ state }: Stack): number[] =>
  processesOf(state)
    .filter(({ command }) => command.includes('haproxy') && !command.includes('internal-'))
    .map(({ pid }) => pid)

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) process.kill(pid, name)
}

/** What each router shows, as people read it. */
const sentences = async (stack: Stack): Promise<string[]> =>
  ((await stack.view()).besides ?? []).filter(({ kind }) => kind === 'router').map(({ sentence }) => sentence)

const isAtBoth = async (stack: Stack, version: string): Promise<boolean> =>
  (await sentences(stack)).every((sentence) => sentence.endsWith(` shows ${version} 100%`))

/** Users at the address of HAProxy, on new connections and kept ones. */
const usersAt = (port: number) =>
  startLoad({
    url: `http://127.0.0.1:${port}`,
    ratePerSecond: 60,
    connections: 'both',
    timeoutMs: 30_000,
    mix: [{ method: 'GET', path: '/', share: 10 }],
  })

describe('a service behind the built-in proxy and HAProxy', () => {
  it('has one share at both, waits for the one that is away, and comes back at both (S125, S130)', async ({
    skip,
  }) => {
    if (findProgram('haproxy') === null) return skip('haproxy is not installed')
    const second = await freePort()
    const file = { ...manual, also: [{ router: 'haproxy', listen: `127.0.0.1:${second}` }] }
    const stack = await startStack({ versions: VERSIONS, stable: '1.0.0', file })
    const atFirst = await startTraffic(stack, { webSockets: 0 })
    const atSecond = usersAt(second)
    const rollout = await stack.begin('1.1.0')
    const seen = async () => (await stack.rollout(rollout)).rollout
    await eventually('it is at 30%', async () => (await seen()).weight.observedPermille === 300)
    expect(await sentences(stack)).toEqual([
      `the built-in proxy at 127.0.0.1:${stack.port} shows 1.0.0 70%, 1.1.0 30%`,
      `HAProxy at 127.0.0.1:${second} shows 1.0.0 70%, 1.1.0 30%`,
    ])
    await eventually('both count', async () => (await seen()).exposure.requests > 60)
    expect((await atSecond.stop()).lost).toEqual(NOTHING)

    // It neither answers nor ends: nobody knows what it does with users.
    const stopped = haproxyOf(stack)
    signal(stopped, 'SIGSTOP')
    await stack.call('promote', {}, z.unknown())
    await eventually('it is told', async () => (await sentences(stack))[1]?.includes('30%') === true)
    await eventually('the other one has it', async () =>
      (await sentences(stack))[0]?.endsWith('shows 1.1.0 100%'),
    )
    const held = await seen()
    expect([held.outcome, stack.instances().length]).toEqual([null, 4])
    expect(held.waitingOn?.message).toMatch(/^HAProxy confirms the weights/)
    signal(stopped, 'SIGKILL')
    expect(await stack.outcome(rollout)).toBe('promoted')
    await eventually('both show it', () => isAtBoth(stack, '1.1.0'))
    const told = stack.journal().map(({ event }) => event.kind)
    expect(told).toContain('routes-shown')

    // The 5xx of a bad version are its own and count as answered.
    const atSecondAgain = usersAt(second)
    expect((await stack.deploy('1.2.0')).outcome).toBe('rolled_back')
    await eventually('both are back', () => isAtBoth(stack, '1.1.0'))
    expect((await atSecondAgain.stop()).lost).toEqual(NOTHING)
    expect((await atFirst.stop()).requests.lost).toEqual(NOTHING)
    const down = await stack.cli('down', '--yes')
    expect(down.code, down.err).toBe(0)
    await eventually('its programs are gone', () => haproxyOf(stack).length === 0)
  })
})
