import { type ChildProcess, spawn } from 'node:child_process'
import { Agent, request } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ReleaseUse } from '../../core/shared/resource-use.ts'
import {
  type AgentFixture,
  createAgentFixture,
  exitCodeOf,
  setPath,
  tokenOf,
  waitFor,
} from '../agent-fixture.ts'

/** Started by somebody else, after the agent. */
const SERVER = `
const server = require('node:http').createServer(({ url }, response) => {
  const from = process.cpuUsage()
  for (let ms = 0; url === '/burn' && ms < 500; ) {
    const { user, system } = process.cpuUsage(from)
    ms = (user + system) / 1000
  }
  response.end('ok')
}).listen(0, '127.0.0.1', () => console.log(server.address().port))
`
const MIB = 1024 * 1024
const NOTHING: ReleaseUse = {
  release: '',
  instances: 0,
  cpuMs: 0,
  memoryBytes: 0,
  largestMemoryBytes: 0,
  diskReadBytes: 0,
  diskWrittenBytes: 0,
}

describe.runIf(process.platform === 'linux')('what instances use', () => {
  let fixture: AgentFixture
  let agent: ChildProcess
  beforeEach(async () => {
    fixture = await createAgentFixture()
    agent = await fixture.launch()
  })
  afterEach(() => fixture.close())

  const endAgent = async () => {
    agent.kill('SIGKILL')
    await exitCodeOf(agent)
  }

  const use = async (release = 'shop@1'): Promise<ReleaseUse> =>
    (await fixture.observe()).use?.releases.find((one) => one.release === release) ?? NOTHING
  const until = async (holds: (use: ReleaseUse) => boolean): Promise<ReleaseUse> => {
    let seen = NOTHING
    await waitFor(
      async () => {
        seen = await use()
        return holds(seen)
      },
      () => JSON.stringify(seen),
    )
    return seen
  }
  /** Of the only instance, once it was measured at rest: two looks in which it used next to nothing. */
  const quiet = async (): Promise<{ port: number; before: ReleaseUse }> => {
    const [one] = await fixture.until(([first]) => first?.state === 'ready')
    let last = NOTHING
    let lastAt = 0
    await waitFor(async () => {
      const measuredAt = (await fixture.observe()).use?.measuredAt ?? 0
      if (measuredAt === lastAt) return false
      const now = await use()
      const isQuiet = now.instances === 1 && now.cpuMs - last.cpuMs <= 50
      last = now
      lastAt = measuredAt
      return isQuiet
    })
    return { port: one?.port ?? 0, before: last }
  }

  it('is nothing while nothing runs, and the host is known', async () => {
    const { use: seen } = await fixture.observe()
    expect(seen?.releases).toEqual([])
    expect(seen?.host.cpus).toBeGreaterThan(0)
    expect(seen?.host.memoryBytes).toBeGreaterThan(64 * MIB)
  })

  it('counts the CPU time that an instance burns, also in a child that lives shorter than a look', async () => {
    await fixture.put(fixture.spec('shop@1'), 1, 1)
    const { port, before } = await quiet()
    await fixture.ask(port, '/burn/600')
    const burned = await until(({ cpuMs }) => cpuMs - before.cpuMs >= 550)
    expect(burned.cpuMs - before.cpuMs).toBeLessThan(2000)
    const { before: rested } = await quiet()
    await fixture.ask(port, '/burn-in-child/300')
    const { cpuMs } = await until((now) => now.cpuMs - rested.cpuMs >= 300)
    expect(cpuMs - rested.cpuMs).toBeLessThan(3000)
  })

  it('tells the memory that an instance holds, and what it makes a disk write', async () => {
    await fixture.put(fixture.spec('shop@1'), 1, 1)
    const { port, before } = await quiet()
    await fixture.ask(port, `/hold/${100 * MIB}`)
    const holding = await until(({ memoryBytes }) => memoryBytes - before.memoryBytes > 80 * MIB)
    expect(holding.largestMemoryBytes).toBe(holding.memoryBytes)
    await fixture.ask(port, `/write/${8 * MIB}`)
    await until(({ diskWrittenBytes }) => diskWrittenBytes - before.diskWrittenBytes >= 8 * MIB)
  })

  it('keeps what a crashed instance used, and goes on with the next process', async () => {
    await fixture.put(fixture.spec('shop@1'), 1, 1)
    const { port, before } = await quiet()
    await fixture.ask(port, '/burn/500')
    const burned = await until(({ cpuMs }) => cpuMs - before.cpuMs >= 450)
    const [crashing] = (await fixture.observe()).instances
    await fixture.ask(port, '/crash').catch(() => null)
    await fixture.until(([one]) => one?.state === 'ready' && one.pid !== crashing?.pid)
    const after = await until(({ cpuMs, instances }) => instances === 1 && cpuMs > burned.cpuMs)
    expect(after.diskReadBytes).toBeGreaterThanOrEqual(burned.diskReadBytes)
    expect(after.memoryBytes).toBeGreaterThan(0)
  })

  it('is counted from zero by the next agent, which did not see the past', async () => {
    await fixture.put(fixture.spec('shop@1'), 1, 1)
    const { port } = await quiet()
    await fixture.ask(port, '/burn/800')
    const { boot } = await fixture.observe()
    const burned = await until(({ cpuMs }) => cpuMs >= 750)
    await endAgent()
    await fixture.launch()
    const again = await until(({ instances }) => instances === 1)
    expect((await fixture.observe()).boot).not.toBe(boot)
    expect(again.cpuMs).toBeLessThan(burned.cpuMs / 2)
    await fixture.ask(port, '/burn/300')
    await until(({ cpuMs }) => cpuMs - again.cpuMs >= 250)
  })

  it('is told for each release by itself, and falls silent with its last instance', async () => {
    await fixture.put(fixture.spec('shop@1'), 2, 1)
    await fixture.put(fixture.spec('shop@2'), 1, 2)
    const two = await until(({ instances }) => instances === 2)
    expect(two.largestMemoryBytes).toBeLessThan(two.memoryBytes)
    await waitFor(async () => (await use('shop@2')).instances === 1)
    const { cpuMs } = await use()
    await fixture.remove('shop@1', 3)
    await until(({ instances }) => instances === 0)
    expect((await use()).memoryBytes).toBe(0)
    expect((await use()).cpuMs).toBeGreaterThanOrEqual(cpuMs)
    expect((await use('shop@2')).instances).toBe(1)
  })

  it('stands among the numbers for Prometheus, by version', async () => {
    await fixture.put(fixture.spec('shop@1'), 1, 1)
    await until(({ cpuMs, instances }) => instances === 1 && cpuMs > 0)
    const dispatcher = new Agent({ connect: { socketPath: fixture.socket } })
    const text = await (await request('http://agent/metrics', { dispatcher })).body.text()
    await dispatcher.close()
    const numberOf = (name: string) =>
      Number(new RegExp(`^${name}\\{stream="shop",version="1.0.0"\\} (\\S+)$`, 'm').exec(text)?.[1])
    expect(numberOf('sluice_instance_cpu_seconds_total')).toBeGreaterThan(0.01)
    expect(numberOf('sluice_instance_memory_bytes')).toBeGreaterThan(8 * MIB)
    expect(numberOf('sluice_instance_disk_read_bytes_total')).toBeGreaterThanOrEqual(0)
    expect(numberOf('sluice_instance_disk_written_bytes_total')).toBeGreaterThanOrEqual(0)
  })

  it('counts an adopted process from its adoption, however busy it was before', async () => {
    const server = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      const port = await new Promise<number>((resolve) =>
        server.stdout.once('data', (line) => resolve(Number(String(line)))),
      )
      await fixture.ask(port, '/burn')
      const adoption = { token: tokenOf(1), service: 'shop', release: 'shop@1', version: '1', port }
      const adopted = await fixture.call('POST', `${setPath('shop@1')}/adopt`, {
        ...adoption,
        healthPath: '/up',
      })
      expect(adopted).toMatchObject({ status: 200, body: { pid: server.pid } })
      const first = await until(({ instances }) => instances === 1)
      expect(first.cpuMs).toBeLessThan(250)
      expect(first.memoryBytes).toBeGreaterThan(8 * MIB)
      await fixture.ask(port, '/burn')
      await until(({ cpuMs }) => cpuMs - first.cpuMs >= 450)
    } finally {
      server.kill('SIGKILL')
    }
  })
})
