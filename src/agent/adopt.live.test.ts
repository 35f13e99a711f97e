import { type ChildProcess, spawn } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type AgentFixture,
  createAgentFixture,
  exitCodeOf,
  setPath,
  tokenOf,
  waitFor,
} from './agent-fixture.ts'
import { findProcess } from './processes/process-table.ts'

const SERVER = `
const server = require('node:http').createServer((request, response) => {
  response.statusCode = request.url === '/up' ? 200 : 404
  response.end()
}).listen(0, '127.0.0.1', () => console.log(server.address().port))
`

describe('adopting a process that already serves', () => {
  let fixture: AgentFixture
  let server: ChildProcess
  let port = 0
  beforeEach(async () => {
    fixture = await createAgentFixture()
    await fixture.launch()
    server = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'ignore'] })
    port = 0
    server.stdout?.once('data', (chunk) => {
      port = Number(String(chunk))
    })
    await waitFor(() => port > 0)
  })
  afterEach(async () => {
    server.kill('SIGKILL')
    await fixture.close()
  })

  const adopt = (more: Record<string, unknown> = {}) =>
    fixture.call('POST', `${setPath('shop@0')}/adopt`, {
      token: tokenOf(1),
      service: 'shop',
      release: 'shop@0',
      version: '0',
      port,
      healthPath: '/up',
      ...more,
    })

  it('finds it by its port, watches it without touching it, and stops it with its set (S3)', async () => {
    expect(await adopt()).toMatchObject({
      status: 200,
      body: { pid: server.pid, port, state: 'ready', release: 'shop@0' },
    })
    const again = await adopt({ pid: server.pid })
    expect(again).toMatchObject({ status: 200, body: { pid: server.pid } })
    expect((await fixture.observe()).instances).toHaveLength(1)
    expect(server.exitCode).toBeNull()
    await fixture.remove('shop@0', 2)
    await fixture.until(([one]) => one?.state === 'gone' && one.lastExit?.cause === 'stopped-by-us')
    await exitCodeOf(server)
    expect(server.signalCode).toBe('SIGTERM')
  })

  it('lets go of it unchanged and running', async () => {
    await adopt()
    const released = await fixture.call('POST', `${setPath('shop@0')}/release`, { token: tokenOf(2) })
    expect(released.status).toBe(200)
    expect((await fixture.observe()).instances).toEqual([])
    expect(findProcess(server.pid!)).not.toBeNull()
    expect(fixture.readState().sets).toEqual([])
  })

  it('reports its end as gone: its command is not known, so it is not restarted', async () => {
    await adopt()
    server.kill('SIGKILL')
    const [gone] = await fixture.until(([one]) => one?.state === 'gone')
    expect(gone).toMatchObject({ crashes: 1, lastExit: { cause: 'unknown' } })
  })

  it('refuses a port on which nobody listens, another pid, an unhealthy process and a stale token', async () => {
    const codes = async (more: Record<string, unknown>) => JSON.stringify((await adopt(more)).body)
    expect(await codes({ pid: process.pid })).toContain('ADOPT_OTHER_LISTENS')
    expect(await codes({ healthPath: '/nothing' })).toContain('ADOPT_UNHEALTHY')
    expect(await codes({ port: 1 })).toContain('ADOPT_NOTHING_LISTENS')
    expect((await fixture.observe()).instances).toEqual([])
    await fixture.remove('shop@0', 5)
    expect(await codes({})).toContain('STALE_TOKEN')
  })
})
