import { existsSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Instance } from '../../core/shared/instance.ts'
import type { HealthProbe } from '../../core/shared/set-spec.ts'
import { type AgentFixture, createAgentFixture, HEALTH } from '../agent-fixture.ts'

const { path: _path, ...PHASES } = { path: '', ...HEALTH }
const LIVE = {
  live: { check: { kind: 'http' as const, path: '/livez' }, intervalMs: 100, timeoutMs: 1000, failures: 2 },
}

describe('the phases of health under the agent', () => {
  let fixture: AgentFixture
  beforeEach(async () => {
    fixture = await createAgentFixture()
    await fixture.launch()
  })
  afterEach(() => fixture.close())

  const start = async (
    health: HealthProbe,
    replicas = 1,
    env: Record<string, string> = {},
  ): Promise<Instance[]> => {
    await fixture.put(fixture.spec('shop@1', { health, env }), replicas, 1)
    return fixture.until((all) => all.length === replicas && all.every(({ state }) => state === 'ready'))
  }
  const first = (all: Instance[]): Instance => {
    const [instance] = all
    if (instance === undefined) throw new Error('no instance')
    return instance
  }

  it('an instance that is not live is restarted, with the cause', async () => {
    const before = first(await start({ ...HEALTH, ...LIVE }))
    await fixture.ask(before.port, '/die')
    const ended = first(await fixture.until((all) => all.some(({ crashes }) => crashes === 1)))
    expect(ended.lastExit).toMatchObject({ cause: 'not-live' })
    expect(ended.lastProbeFailure).toMatchObject({
      kind: 'not-live',
      message: expect.stringMatching(
        /^restarted, since it was not live \(2 times in a row\): GET \S+\/livez answered 500: "deadlock"$/,
      ),
    })
    const after = first(await fixture.until((all) => all.some(({ state }) => state === 'ready')))
    expect(after).toMatchObject({ id: before.id, port: before.port, crashes: 1 })
    expect(after.pid).not.toBe(before.pid)
  })

  it('an instance that is not ready is never restarted', async () => {
    const before = first(await start({ ...HEALTH, ...LIVE }))
    await fixture.ask(before.port, '/toggle')
    const unready = first(await fixture.until((all) => all.some(({ state }) => state === 'unready')))
    // Far more looks than it takes to restart one that is not live.
    const [{ consecutiveProbeFailures: failures }] = [unready]
    const later = first(
      await fixture.until((all) => all.some((one) => one.consecutiveProbeFailures >= failures + 30)),
    )
    expect(later).toMatchObject({
      pid: before.pid,
      crashes: 0,
      state: 'unready',
      lastProbeFailure: { kind: 'status' },
    })
    await fixture.ask(before.port, '/toggle')
    const again = first(await fixture.until((all) => all.some(({ state }) => state === 'ready')))
    expect(again).toMatchObject({ pid: before.pid, crashes: 0 })
  })

  it('of two instances that are not live one is restarted at a time', async () => {
    const before = await start({ ...HEALTH, ...LIVE }, 2)
    for (const { port } of before) await fixture.ask(port, '/die')
    let fewest = 2
    await fixture.until((all) => {
      fewest = Math.min(fewest, all.filter(({ state }) => state === 'ready').length)
      return all.every(({ crashes, state }) => crashes === 1 && state === 'ready')
    })
    expect(fewest).toBe(1)
  })

  it('an instance is ready by its port, and by a program that sees its variables', async () => {
    const byPort = first(await start({ ...PHASES, check: { kind: 'tcp' } }))
    expect(byPort.state).toBe('ready')
    const script = `process.exit(process.env.PORT === '{{port}}' && process.env.RELEASE === 'shop@2' ? 0 : 1)`
    const command = [process.execPath, '-e', script]
    const health: HealthProbe = { ...PHASES, timeoutMs: 10_000, check: { kind: 'command', command } }
    await fixture.put(fixture.spec('shop@2', { health }), 1, 2)
    await fixture.until((all) => all.some(({ release, state }) => release === 'shop@2' && state === 'ready'))
  })

  it('one that boots is asked nothing else, and has its deadline after it', async () => {
    const start = { check: { kind: 'http' as const, path: '/up' }, intervalMs: 50, timeoutMs: 1000 }
    const ready = { ...PHASES, check: { kind: 'http' as const, path: '/queue' } }
    const health: HealthProbe = {
      ...ready,
      ...LIVE,
      deadlineMs: 3000,
      start: { ...start, deadlineMs: 20_000 },
    }
    await fixture.put(fixture.spec('shop@1', { health, env: { MODE: 'sick' } }), 1, 1)
    const [booting] = [
      first(await fixture.until((all) => all.some((one) => one.lastProbeFailure?.kind === 'status'))),
    ]
    await fixture.ask(booting.port, '/die')
    // Longer than becoming ready may take: it boots, and is neither failed nor restarted.
    const since = booting.startedAt
    const late = first(await fixture.until((all) => all.every(() => Date.now() - since > 3500)))
    expect([late.state, late.consecutiveProbeFailures, late.crashes]).toEqual(['starting', 0, 0])
    await fixture.ask(booting.port, '/toggle')
    const after = first(await fixture.until((all) => all.some(({ crashes }) => crashes > 0)))
    expect(after.lastExit?.cause).toBe('not-live')
  })

  it('one that nobody can ask is ready once it has run long enough, and not before', async () => {
    const ready = first(await start({ ...PHASES, successes: 1, check: { kind: 'runs', forMs: 900 } }))
    expect((ready.readyAt ?? 0) - ready.startedAt).toBeGreaterThanOrEqual(900)
    expect([ready.consecutiveProbeFailures, ready.lastProbeFailure]).toEqual([0, null])
    await fixture.put(
      fixture.spec('shop@2', {
        health: { ...PHASES, deadlineMs: 4000, check: { kind: 'runs', forMs: 2000 } },
        env: { MODE: 'exit' },
      }),
      1,
      2,
    )
    const failed = (
      await fixture.until((all) =>
        all.some(({ release, state }) => release === 'shop@2' && state === 'failed'),
      )
    ).find(({ release }) => release === 'shop@2')
    expect([failed?.readyAt, failed?.lastExit?.code]).toEqual([null, 3])
  })

  it('a program that does not agree is quoted, and the instance fails at its deadline', async () => {
    const command = [process.execPath, '-e', 'console.error("schema is 3 behind"); process.exit(4)']
    const health: HealthProbe = {
      ...PHASES,
      timeoutMs: 10_000,
      deadlineMs: 4000,
      check: { kind: 'command', command },
    }
    await fixture.put(fixture.spec('shop@1', { health }), 1, 1)
    const failed = first(await fixture.until((all) => all.some(({ state }) => state === 'failed')))
    expect(failed.lastProbeFailure).toMatchObject({
      kind: 'not-serving',
      message: expect.stringMatching(/ended with code 4: "schema is 3 behind"$/),
    })
    expect(failed.pid).not.toBeNull()
  })

  it('an instance that listens elsewhere is told apart by a TCP check, too', async () => {
    const health: HealthProbe = { ...PHASES, deadlineMs: 3000, check: { kind: 'tcp' } }
    await fixture.put(fixture.spec('shop@1', { health, env: { MODE: 'wrong-port' } }), 1, 1)
    const failed = first(await fixture.until((all) => all.some(({ state }) => state === 'failed')))
    expect(failed.lastProbeFailure).toMatchObject({
      kind: 'wrong-port',
      message: expect.stringMatching(/listens on \d+, expected \d+/),
    })
  })

  it('named checks are looked at for as long as an instance is ready, and touch nothing', async () => {
    const database = createServer((socket) => void socket.on('error', () => {}).resume())
    await new Promise<void>((resolve) => database.listen(0, '127.0.0.1', resolve))
    const { port } = database.address() as AddressInfo
    const flag = join(fixture.folder, 'sums-are-wrong')
    const often = { everyMs: 100, timeoutMs: 10_000, failures: 2, onFailure: 'report' as const }
    const health: HealthProbe = {
      ...HEALTH,
      checks: [
        {
          name: 'database',
          kind: 'dependency',
          ...often,
          check: { kind: 'address', host: '127.0.0.1', port },
        },
        { name: 'queue', kind: 'job', ...often, check: { kind: 'http', path: '/queue' } },
        {
          name: 'sums',
          kind: 'job',
          ...often,
          check: {
            kind: 'command',
            command: [
              process.execPath,
              '-e',
              `process.exit(require('fs').existsSync(${JSON.stringify(flag)}) ? 5 : 0)`,
            ],
          },
        },
      ],
    }
    const states = ({ checks = [] }: Instance) => checks.map(({ name, state }) => `${name} ${state}`)
    await start(health)
    const fine = first(
      await fixture.until((all) =>
        all.some((one) => states(one).filter((text) => text.endsWith('passing')).length === 3),
      ),
    )
    database.close()
    writeFileSync(flag, '')
    await fixture.ask(fine.port, '/dry')
    const failing = first(
      await fixture.until((all) =>
        all.some((one) => states(one).filter((text) => text.endsWith('failing')).length === 3),
      ),
    )
    expect(failing).toMatchObject({ state: 'ready', pid: fine.pid, crashes: 0 })
    expect(failing.checks?.map(({ message }) => message)).toEqual([
      `a TCP connection to 127.0.0.1:${port} was refused: nothing listens there`,
      expect.stringMatching(/GET \S+\/queue answered 503: "no workers"$/),
      expect.stringMatching(/ended with code 5$/),
    ])
    expect(existsSync(flag)).toBe(true)
  })
})
