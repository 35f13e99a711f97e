import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Instance } from '../core/shared/instance.ts'
import {
  type AgentFixture,
  createAgentFixture,
  cwdOf,
  exitCodeOf,
  setPath,
  tokenOf,
  waitFor,
} from './agent-fixture.ts'
import { logPath } from './log-file.ts'
import { allProcesses, findProcess, startVariable } from './processes/process-table.ts'

describe('the agent itself', () => {
  let fixture: AgentFixture
  let agent: ChildProcess
  beforeEach(async () => {
    fixture = await createAgentFixture()
    agent = await fixture.launch()
  })
  afterEach(() => fixture.close())

  const untilReady = (count: number): Promise<Instance[]> =>
    fixture.until((all) => all.filter(({ state }) => state === 'ready').length === count)
  const kill9 = async () => {
    agent.kill('SIGKILL')
    await exitCodeOf(agent)
  }
  /** Its port is free again when it is gone, not when it is killed. */
  const killInstance = async ({ pid }: Instance) => {
    process.kill(pid!, 'SIGKILL')
    await waitFor(() => findProcess(pid!) === null)
  }
  const pids = (instances: readonly Instance[]) => instances.map(({ id, pid }) => ({ id, pid }))

  it('keeps its folder and its socket to its user', () => {
    expect(statSync(fixture.agentFolder).mode & 0o777).toBe(0o700)
    expect(statSync(fixture.socket).mode & 0o777).toBe(0o600)
    expect(statSync(join(fixture.agentFolder, 'secret-versions.key')).mode & 0o777).toBe(0o600)
  })

  it('ends on SIGTERM with 0 and leaves its instances running; the next one goes on with them', async () => {
    await fixture.put(fixture.spec('shop@1'), 2, 1)
    const before = await untilReady(2)
    agent.kill('SIGTERM')
    expect(await exitCodeOf(agent)).toBe(0)
    expect(existsSync(fixture.socket)).toBe(false)
    for (const { port } of before) expect(await fixture.ask(port, '/up')).toBe('ok')
    await fixture.launch()
    expect(pids(await untilReady(2))).toEqual(pids(before))
  })

  it('killed with kill -9 and started again: same instances, what died meanwhile is restarted, output went on', async () => {
    await fixture.put(fixture.spec('shop@1'), 2, 1)
    const [first, second] = await untilReady(2)
    const { boot } = await fixture.observe()
    await kill9()
    await fixture.ask(first!.port, '/say')
    await killInstance(second!)
    await fixture.launch()
    const after = await untilReady(2)
    expect(after.map(({ id }) => id)).toEqual([first!.id, second!.id])
    expect(after[0]).toMatchObject({ pid: first!.pid, crashes: 0 })
    expect(after[1]).toMatchObject({ crashes: 1, lastExit: { cause: 'unknown', code: null } })
    expect(after[1]?.pid).not.toBe(second!.pid)
    expect((await fixture.observe()).boot).not.toBe(boot)
    const log = readFileSync(logPath(join(fixture.agentFolder, 'logs'), first!.id), 'utf8')
    expect(log).toContain('said after the agent died')
    await fixture.remove('shop@1', 2)
    await fixture.until((all) => all.every(({ state }) => state === 'gone'))
    expect(findProcess(first!.pid!)).toBeNull()
  })

  it('killed between the intent to start and its record finds the orphan instead of starting a second one', async () => {
    await fixture.put(fixture.spec('shop@1'), 1, 1)
    const [before] = await untilReady(1)
    await kill9()
    const state = fixture.readState()
    const instances = state.instances.map((one) => ({ ...one, state: 'starting' as const, process: null }))
    fixture.writeState({ ...state, instances })
    await fixture.launch()
    expect(pids(await untilReady(1))).toEqual([{ id: before!.id, pid: before!.pid }])
  })

  it('takes a pid that now belongs to another process for dead, and leaves that process alone', async () => {
    await fixture.put(fixture.spec('shop@1'), 1, 1)
    const [before] = await untilReady(1)
    await kill9()
    const state = fixture.readState()
    // This very test process plays the one that was given the pid.
    const identity = { pid: process.pid, startTime: '1@another' }
    fixture.writeState({ ...state, instances: state.instances.map((one) => ({ ...one, process: identity })) })
    await killInstance(before!)
    await fixture.launch()
    const [after] = await fixture.until(([one]) => one?.state === 'ready' && one.pid !== before!.pid)
    expect(after).toMatchObject({ id: before!.id, crashes: 1 })
    expect(after?.pid).not.toBe(process.pid)
  })

  it('after a restart of the host starts the wanted sets by itself, without counting crashes', async () => {
    await fixture.put(fixture.spec('shop@1'), 1, 1)
    const [before] = await untilReady(1)
    await kill9()
    await killInstance(before!)
    fixture.writeState({ ...fixture.readState(), hostBoot: 'the boot before' })
    await fixture.launch()
    const [after] = await untilReady(1)
    expect(after).toMatchObject({ id: before!.id, crashes: 0, lastExit: { cause: 'unknown' } })
  })

  it('killed at any moment of a start never runs an instance twice and loses none', async () => {
    const spec = fixture.spec('shop@1')
    for (let round = 0; round < 8; round += 1) {
      const put = fixture.put(spec, 3 + round, 1 + round).catch(() => null)
      const killAt = Date.now() + round * 12
      await waitFor(() => Date.now() >= killAt)
      await kill9()
      await put
      agent = await fixture.launch()
    }
    await fixture.put(spec, 10, 100)
    const ready = await untilReady(10)
    expect(new Set(ready.map(({ port }) => port)).size).toBe(10)
    const isOurs = (pid: number) =>
      startVariable(pid, 'SLUICE_INSTANCE') !== null && cwdOf(pid) === spec.folder
    const running = allProcesses().flatMap(({ pid }) => (isOurs(pid) ? pid : []))
    expect(running.sort()).toEqual(ready.flatMap(({ pid }) => pid ?? []).sort())
    expect(ready.map(({ crashes }) => crashes)).toEqual(ready.map(() => 0))
  })

  it('goes on with a stop that was under way when it was killed', async () => {
    await fixture.put(fixture.spec('shop@1', { env: { MODE: 'stubborn' }, stopGraceMs: 1500 }), 1, 1)
    const [before] = await untilReady(1)
    await fixture.remove('shop@1', 2)
    await fixture.until(([one]) => one?.state === 'stopping')
    await kill9()
    await fixture.launch()
    await fixture.until(([one]) => one?.state === 'gone')
    expect(findProcess(before!.pid!)).toBeNull()
    await waitFor(() => fixture.readState().sets.length === 0)
  })

  it('remembers the highest token over its own end', async () => {
    await fixture.put(fixture.spec('shop@1'), 0, 7)
    await kill9()
    await fixture.launch()
    expect((await fixture.observe()).highestToken).toEqual(tokenOf(7))
    const stale = await fixture.put(fixture.spec('shop@1'), 1, 6)
    expect(stale).toMatchObject({ status: 409, body: { problem: { code: 'STALE_TOKEN' } } })
    expect((await fixture.observe()).instances).toEqual([])
  })

  it('is the only one of its folder: the second ends with 13 and names the first', async () => {
    for (const options of [
      {},
      { socket: join(fixture.folder, 'other.sock') },
      { folder: join(fixture.folder, 'other') },
    ]) {
      const second = await fixture.launch(options)
      expect(await exitCodeOf(second)).toBe(13)
      await waitFor(() =>
        fixture.errorsOf(second).includes(`another agent runs here already (pid ${agent.pid})`),
      )
    }
    expect((await fixture.call('GET', '/livez')).status).toBe(200)
  })

  it('leaves no stale lock and no stale socket behind when it is killed', async () => {
    await kill9()
    expect(existsSync(fixture.socket)).toBe(true)
    const next = await fixture.launch()
    expect(next.exitCode).toBeNull()
    expect(readFileSync(join(fixture.agentFolder, 'agent.pid'), 'utf8').trim()).toBe(String(next.pid))
  })

  it('refuses what it cannot read, with the reason', async () => {
    expect(await fixture.call('PUT', setPath('shop@1'), { replicas: 'two' })).toMatchObject({
      status: 400,
      body: { problem: { code: 'AGENT_BAD_REQUEST', message: expect.stringMatching(/replicas/) } },
    })
    const spec = { ...fixture.spec('shop@1'), release: 'shop@2' }
    const mismatch = await fixture.call('PUT', setPath('shop@1'), { token: tokenOf(1), spec, replicas: 1 })
    expect(mismatch.status).toBe(400)
    expect((await fixture.call('GET', '/nowhere')).status).toBe(400)
    expect((await fixture.observe()).highestToken).toBeNull()
  })
})
