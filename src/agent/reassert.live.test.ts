import { type ChildProcess, spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Instance } from '../core/shared/instance.ts'
import { type AgentFixture, createAgentFixture, exitCodeOf, setPath, waitFor } from './agent-fixture.ts'
import { allProcesses, findProcess, startVariable } from './processes/process-table.ts'

const SERVER = `
const server = require('node:http').createServer((request, response) => response.end('ok'))
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`

const tokenOf = (epoch: number, sequence: number) => ({ epoch, sequence, rollout: null })
const STALE = { status: 409, body: { problem: { code: 'STALE_TOKEN' } } }

describe('a controller that took over asks again for what is there already', () => {
  let fixture: AgentFixture
  let agent: ChildProcess
  let server: ChildProcess | undefined
  beforeEach(async () => {
    fixture = await createAgentFixture()
    agent = await fixture.launch()
  })
  afterEach(async () => {
    server?.kill('SIGKILL')
    server = undefined
    await fixture.close()
  })

  const put = (epoch: number, sequence: number, replicas = 2) =>
    fixture.call('PUT', setPath('shop@1'), {
      token: tokenOf(epoch, sequence),
      spec: fixture.spec('shop@1'),
      replicas,
    })
  const killAndLaunch = async () => {
    agent.kill('SIGKILL')
    await exitCodeOf(agent)
    agent = await fixture.launch()
  }
  const untilReady = (count: number): Promise<Instance[]> =>
    fixture.until((all) => all.length === count && all.every(({ state }) => state === 'ready'))
  const identities = (all: readonly Instance[]) =>
    all.map(({ id, pid, port, startedAt, crashes }) => ({ id, pid, port, startedAt, crashes }))
  /** Pids of everything that runs as an instance of this fixture. */
  const running = (all: readonly Instance[]): number[] => {
    const known = new Set(all.map(({ id }) => id))
    const isOurs = (pid: number) => {
      const id = startVariable(pid, 'SLUICE_INSTANCE')
      return id !== null && (known.has(id) || fixture.readState().instances.some((one) => one.id === id))
    }
    return allProcesses().flatMap(({ pid }) => (isOurs(pid) ? [pid] : []))
  }
  const writtenAt = () => statSync(join(fixture.agentFolder, 'agent.json'), { bigint: true }).mtimeNs
  const highestToken = async () => (await fixture.observe()).highestToken

  it('starts nothing, remembers the higher epoch over kill -9, and refuses the lower one from then on', async () => {
    await put(1, 5)
    const before = await untilReady(2)
    expect(await put(2, 1)).toEqual({ status: 202, body: {} })
    expect(fixture.readState().tokens).toEqual({ shop: tokenOf(2, 1) })
    await killAndLaunch()
    expect(await highestToken()).toEqual(tokenOf(2, 1))
    expect(await put(1, 6, 3)).toMatchObject(STALE)
    expect(await put(1, 999, 0)).toMatchObject(STALE)
    const after = await untilReady(2)
    expect(identities(after)).toEqual(identities(before))
    expect(running(after).sort()).toEqual(before.flatMap(({ pid }) => pid ?? []).sort())
  })

  it('writes nothing for a repeat, and one small file for a new epoch', async () => {
    await put(1, 5)
    await untilReady(2)
    // What a probe changed is seen at once and written with the next look.
    await waitFor(() => fixture.readState().instances.every(({ state }) => state === 'ready'))
    const written = writtenAt()
    expect((await put(1, 5)).status).toBe(202)
    expect(writtenAt()).toBe(written)
    const sets = fixture.readState().sets
    expect((await put(2, 1)).status).toBe(202)
    expect(writtenAt()).not.toBe(written)
    expect(fixture.readState().sets).toEqual(sets)
  })

  it('does not bring back what is stopping, and does not start more than was asked for', async () => {
    await put(1, 1, 3)
    await untilReady(3)
    await Promise.all([put(2, 1, 3), put(2, 2, 3), put(2, 3, 3)])
    const after = await untilReady(3)
    expect(running(after)).toHaveLength(3)
    await put(2, 4, 1)
    expect((await put(3, 1, 1)).status).toBe(202)
    await fixture.until((all) => all.filter(({ state }) => state !== 'gone').length === 1)
    expect(await highestToken()).toEqual(tokenOf(3, 1))
  })

  async function startServer(): Promise<{ server: ChildProcess; port: number }> {
    const started = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'ignore'] })
    server = started
    let port = 0
    started.stdout.once('data', (chunk) => {
      port = Number(String(chunk))
    })
    await waitFor(() => port > 0)
    return { server: started, port }
  }
  const adopt = (port: number, epoch: number, sequence: number) =>
    fixture.call('POST', `${setPath('shop@0')}/adopt`, {
      token: tokenOf(epoch, sequence),
      service: 'shop',
      release: 'shop@0',
      version: '0',
      port,
      healthPath: '/up',
    })

  it('keeps an adopted process as it is, remembers the epoch over kill -9, and refuses the lower one', async () => {
    const { server: process, port } = await startServer()
    const first = await adopt(port, 1, 5)
    expect(first.status).toBe(200)
    const [before] = (await fixture.observe()).instances
    expect(await adopt(port, 2, 1)).toMatchObject({ status: 200, body: { id: before?.id, pid: process.pid } })
    expect(fixture.readState().tokens).toEqual({ shop: tokenOf(2, 1) })
    await killAndLaunch()
    expect(await highestToken()).toEqual(tokenOf(2, 1))
    expect(await adopt(port, 1, 6)).toMatchObject(STALE)
    const after = await untilReady(1)
    expect(identities(after)).toEqual(before === undefined ? [] : identities([before]))
    expect(findProcess(process.pid ?? 0)).not.toBeNull()
  })

  it('remembers the epoch even when the adopted process has died, and says that it is gone', async () => {
    const { server: process, port } = await startServer()
    await adopt(port, 1, 5)
    process.kill('SIGKILL')
    await fixture.until(([one]) => one?.state === 'gone')
    expect(await adopt(port, 2, 1)).toMatchObject({
      status: 404,
      body: { problem: { code: 'ADOPT_NOTHING_LISTENS' } },
    })
    expect(await highestToken()).toEqual(tokenOf(2, 1))
    expect(await adopt(port, 1, 9)).toMatchObject(STALE)
  })
})
