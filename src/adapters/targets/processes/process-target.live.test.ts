import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok } from '../../../core/shared/result.ts'
import type { SetSpec } from '../../../core/shared/set-spec.ts'
import { type TargetHarness, targetConformance } from '../../../testkit/conformance/target.ts'
import { createProcessTarget } from './process-target.ts'

const AGENT = fileURLToPath(new URL('../../../agent/main.ts', import.meta.url))
const APP = `
console.log('hello from ' + process.env.RELEASE)
if (process.env.COMPLAINS) for (const order of [1, 2]) console.error('ERROR order ' + order + ' is lost')
require('node:http').createServer((request, response) => {
  response.statusCode = process.env.RELEASE.endsWith('bad') ? 503 : 200
  response.end()
}).listen(process.env.PORT, '127.0.0.1')
`

targetConformance('processes', makeHarness)

describe('the target `processes`', () => {
  let harness: LiveHarness | undefined
  afterEach(async () => {
    await harness?.close()
    harness = undefined
  })

  it('says that it cannot tell while no agent answers, and starts one when asked to reconcile', async () => {
    harness = await makeHarness({ startsAgent: false })
    const blind = await harness.target.observe('shop')
    expect(blind).toMatchObject({ kind: 'failed', problem: { code: 'TARGET_UNREACHABLE', retryable: true } })
    expect(await harness.target.reconcile()).toEqual(ok(undefined))
    expect(await harness.target.reconcile()).toEqual(ok(undefined))
    expect(harness.agents).toHaveLength(1)
    expect(await harness.target.observe('shop')).toMatchObject({ kind: 'ok' })
  })

  it('passes on why an agent could not be started', async () => {
    const refusal = problem('NO_AGENT', { message: 'no', remedy: 'none' })
    const target = createProcessTarget({
      socket: join(tmpdir(), 'sluice-nowhere.sock'),
      artifacts: tmpdir(),
      startAgent: async () => failed(refusal),
    })
    expect(await target.reconcile()).toEqual(failed(refusal))
  })

  it('gives up on an agent that is paused, within its deadline, and finds it again afterwards', async () => {
    harness = await makeHarness()
    const agent = harness.agents[0]
    agent?.kill('SIGSTOP')
    const paused = await harness.target.observe('shop')
    agent?.kill('SIGCONT')
    expect(paused).toMatchObject({ kind: 'failed', problem: { code: 'TARGET_UNREACHABLE' } })
    expect(await harness.target.observe('shop')).toMatchObject({ kind: 'ok' })
  })

  it('runs a version from its read-only copy, whose name is its content', async () => {
    harness = await makeHarness()
    const { target } = harness
    const builds = join(harness.folder, 'builds')
    mkdirSync(join(builds, '1.0.0'), { recursive: true })
    writeFileSync(join(builds, '1.0.0', 'app.cjs'), APP)
    const resolved = await target.resolve({ artifact: join(builds, '{{version}}'), version: '1.0.0' })
    if (resolved.kind === 'failed') throw new Error(resolved.problem.message)
    rmSync(builds, { recursive: true })
    const spec = { ...harness.healthy('shop', 'shop@1'), folder: resolved.value.folder }
    const token = { epoch: 1, sequence: 1, rollout: null }
    expect(await target.start({ token, spec, replicas: 1 })).toEqual(ok(undefined))
    await expect
      .poll(async () => JSON.stringify(await target.observe('shop')), { timeout: 15_000 })
      .toContain('"ready"')
  })

  it('compares secrets by versions that show nothing of the value', async () => {
    harness = await makeHarness()
    writeFileSync(join(harness.folder, 'secrets.env'), 'API_KEY=hunter2\n', { mode: 0o600 })
    const versions = await harness.target.secretVersions(['API_KEY'])
    expect(versions).toMatchObject({
      kind: 'ok',
      value: { API_KEY: expect.stringMatching(/^[0-9a-f]{12}$/) },
    })
    const missing = await harness.target.secretVersions(['API_KEY', 'OTHER'])
    expect(missing).toMatchObject({ kind: 'failed', problem: { code: 'SECRET_MISSING' } })
  })
})

type LiveHarness = TargetHarness & { folder: string; agents: ChildProcess[] }

async function makeHarness({ startsAgent = true } = {}): Promise<LiveHarness> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-target-'))
  const socket = join(folder, 'agent.sock')
  const agents: ChildProcess[] = []
  writeFileSync(join(folder, 'app.cjs'), APP)
  for (const version of ['1', '2']) {
    mkdirSync(join(folder, 'builds', version), { recursive: true })
    writeFileSync(join(folder, 'builds', version, 'VERSION'), version)
  }
  const artifact = (version: string) => ({ artifact: join(folder, 'builds', '{{version}}'), version })
  const startAgent = async () => {
    agents.push(spawnAgent(join(folder, 'agent'), socket))
    return ok(undefined)
  }
  const target = createProcessTarget({ socket, artifacts: join(folder, 'artifacts'), startAgent })
  if (startsAgent) expect(await target.reconcile()).toEqual(ok(undefined))
  const spec = (service: string, release: string): SetSpec => ({ ...specOf(service, release), folder })
  const close = async () => {
    // The agent ends first, so that it starts nothing again; then what it started, by the pids it wrote down.
    for (const agent of agents) await ended(agent)
    for (const pid of recordedPids(join(folder, 'agent', 'agent.json'))) killQuietly(pid)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  return {
    folder,
    agents,
    target,
    healthy: spec,
    failing: (service, release) => {
      const bad = spec(service, release)
      return { ...bad, health: { ...bad.health, deadlineMs: 1000 } }
    },
    complaining: (service, release) => {
      const loud = spec(service, release)
      return { ...loud, env: { ...loud.env, COMPLAINS: 'yes' } }
    },
    artifacts: [artifact('1'), artifact('2')],
    tellsUse: process.platform === 'linux',
    close,
  }
}

const specOf = (service: string, release: string): SetSpec => ({
  service,
  release,
  version: '1',
  command: [process.execPath, 'app.cjs'],
  folder: '/',
  env: { RELEASE: release },
  secrets: [],
  health: { path: '/up', intervalMs: 100, timeoutMs: 1000, successes: 1, failures: 2, deadlineMs: 20_000 },
  stopGraceMs: 2000,
})

function spawnAgent(folder: string, socket: string): ChildProcess {
  const code = `import { runAgent } from ${JSON.stringify(AGENT)}; await runAgent(process.argv.slice(1))`
  const args = ['--input-type=module', '--eval', code, '--', '--folder', folder, '--socket', socket]
  return spawn(process.execPath, args, { stdio: 'ignore', detached: true })
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exited
}

function recordedPids(path: string): number[] {
  const state: { instances: { process: { pid: number } | null }[] } = JSON.parse(readFileSync(path, 'utf8'))
  return state.instances.flatMap((instance) => instance.process?.pid ?? [])
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
