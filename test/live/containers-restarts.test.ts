import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AgentFixture, createAgentFixture, exitCodeOf, HEALTH } from '../../src/agent/agent-fixture.ts'
import type { SetSpec } from '../../src/core/shared/set-spec.ts'
import { type DockerStand, startDocker, whyNoDocker } from './kit/docker.ts'
import { eventually } from './kit/settle.ts'

const APP = `
import { createServer } from 'node:http'
process.on('SIGTERM', () => process.exit(0))
let line = 0
if (process.env.TALKS) setInterval(() => { for (let i = 0; i < 20; i += 1) console.log('line ' + ++line) }, 10)
createServer((request, response) => response.end('ok')).listen(Number(process.env.PORT))
`
const SERVING = { ...HEALTH, deadlineMs: 60_000 }

const why = whyNoDocker()

describe('containers over restarts of agent and engine', () => {
  let stand: DockerStand
  let image: string
  let fixture: AgentFixture
  let agent: Awaited<ReturnType<AgentFixture['launch']>>
  let sequence = 0
  beforeEach(({ skip }) => skip(why !== null, why ?? ''))
  beforeAll(async () => {
    if (why !== null) return
    stand = await startDocker()
    image = await stand.importImage('shop:1', { 'app.mjs': APP })
    fixture = await createAgentFixture()
    agent = await fixture.launch({ env: stand.env })
  })
  afterAll(async () => {
    if (why !== null) return
    await fixture.close()
    await stand.close()
  })

  const spec = (release: string, more: Partial<SetSpec> = {}): SetSpec =>
    fixture.spec(release, {
      command: [],
      folder: '',
      container: { image, port: 8080, network: null, volumes: [], secretFiles: false },
      health: SERVING,
      ...more,
    })
  const put = (of: SetSpec, replicas: number) => fixture.put(of, replicas, ++sequence)
  const ready = async (release: string) => {
    const isReady = (it: { release: string; state: string }) => it.release === release && it.state === 'ready'
    const found = (await fixture.until((all) => all.some(isReady))).find(isReady)
    if (found === undefined) throw new Error('gone again')
    return found
  }
  const started = async (id: string): Promise<string> =>
    JSON.parse((await stand.api('GET', `/containers/${id}/json`)).body).State.StartedAt
  const relaunch = async () => {
    agent.kill('SIGKILL')
    await exitCodeOf(agent)
    return async () => {
      agent = await fixture.launch({ env: stand.env })
    }
  }

  it('live on when the agent is killed, and each line they write is kept once', async () => {
    await put(spec('talks', { env: { TALKS: 'yes' } }), 1)
    const before = await ready('talks')
    const since = await started(before.id)
    for (const _ of [1, 2]) {
      const launch = await relaunch()
      await launch()
    }
    expect(await ready('talks')).toMatchObject({ id: before.id, pid: before.pid, crashes: 0 })
    expect(await started(before.id)).toBe(since)
    await put(spec('talks', { env: { TALKS: 'yes' } }), 0)
    await fixture.until((all) => all.every(({ state }) => state === 'gone'))
    const log = path.join(fixture.agentFolder, 'logs', `${before.id}.log`)
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    expect(lines).toEqual(lines.map((_, index) => `line ${index + 1}`))
    expect(lines.length).toBeGreaterThan(100)
  })

  it('that were started and not yet written down are taken up, not started a second time', async () => {
    await put(spec('orphan'), 1)
    const before = await ready('orphan')
    const since = await started(before.id)
    const launch = await relaunch()
    const state = fixture.readState()
    const forget = (one: (typeof state.instances)[number]) =>
      one.id === before.id
        ? {
            ...one,
            state: 'starting' as const,
            process: null,
            container: { id: '', name: before.id },
            readyAt: null,
          }
        : one
    fixture.writeState({ ...state, instances: state.instances.map(forget) })
    await launch()
    expect(await ready('orphan')).toMatchObject({ id: before.id, pid: before.pid })
    expect(await started(before.id)).toBe(since)
    expect(await stand.containers()).toHaveLength(1)
  })

  it('are started again after a restart of the engine, which is no crash of theirs', async () => {
    const before = await ready('orphan')
    await stand.stop('kill')
    // The engine is away, its containers serve on; what is asked for meanwhile says what it waits for.
    expect(await (await fetch(`http://${before.host}:${before.port}/`)).text()).toBe('ok')
    await put(spec('later'), 1)
    const waits = await fixture.until((all) =>
      all.some(({ release, lastProbeFailure }) => release === 'later' && lastProbeFailure !== null),
    )
    const held = waits.find(({ release }) => release === 'later')
    expect(held).toMatchObject({ state: 'starting', crashes: 0 })
    expect(held?.lastProbeFailure?.message).toMatch(/^DOCKER_UNREACHABLE: .*systemctl start docker/)
    await stand.start()
    const after = await ready('later')
    expect(after.crashes).toBe(0)
    const isBack = async (pid: number | null) => {
      const now = await ready('orphan')
      return now.pid !== pid && now.crashes === 0
    }
    await eventually('the first one is back', () => isBack(before.pid))
    // An engine that ends in order ends its containers itself.
    const { pid } = await ready('orphan')
    await stand.stop()
    await stand.start()
    await eventually('it is back again', () => isBack(pid))
    await ready('later')
    expect(await stand.containers()).toHaveLength(2)
  })

  it('are not touched by an agent that is behind another one', async () => {
    const labels = {
      'io.sluice.service': 'shop',
      'io.sluice.folder': fixture.agentFolder,
      'io.sluice.epoch': '7',
      'io.sluice.sequence': '1',
    }
    const made = await stand.api('POST', '/containers/create?name=other', { Image: image, Labels: labels })
    await put(spec('stale', { health: { ...HEALTH, deadlineMs: 20_000 } }), 1)
    const refused = await fixture.until((all) => all.some(({ state }) => state === 'failed'))
    expect(refused.find(({ state }) => state === 'failed')?.lastProbeFailure?.message).toMatch(
      /^STALE_TOKEN: a container of shop was made by command 7\.1, and the newest that this agent knows is 1\.\d+/,
    )
    const count = (await stand.containers()).length
    await fixture.remove('later', ++sequence)
    const told = await fixture.until((all) =>
      all.some(
        ({ release, lastProbeFailure }) => release === 'later' && lastProbeFailure?.kind === 'not-told',
      ),
    )
    expect(told.find(({ release }) => release === 'later')?.lastProbeFailure?.message).toMatch(
      /^STALE_TOKEN: /,
    )
    expect(await stand.containers()).toHaveLength(count)
    await stand.api('DELETE', `/containers/${JSON.parse(made.body).Id}?force=1`)
    // Nothing stands in the way any more: what was asked for is done.
    await fixture.until((all) => all.every(({ release, state }) => release !== 'later' || state === 'gone'))
  })
})
