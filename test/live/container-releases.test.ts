import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Behaviour } from './kit/behaviour.ts'
import { startContainerStack, thingImage } from './kit/container-stack.ts'
import { type DockerStand, startDocker, whyNoDocker } from './kit/docker.ts'
import { eventually } from './kit/settle.ts'
import { startTraffic } from './kit/traffic.ts'

const why = whyNoDocker()
const VERSIONS: Record<string, Behaviour> = { '1.0.0': {}, '1.1.0': {}, '1.2.0': { errorShare: 0.5 } }

let engine: DockerStand

describe.skipIf(why !== null)(`releases of containers${why === null ? '' : ` (${why})`}`, () => {
  beforeAll(async () => {
    engine = await startDocker()
    for (const [version, behaviour] of Object.entries(VERSIONS)) await thingImage(engine, version, behaviour)
  }, 120_000)
  afterAll(() => engine?.close())

  it('a good version comes in and a bad one goes back, and no request is lost, whatever dies meanwhile', async () => {
    const stack = await startContainerStack(engine)
    expect(await engine.running()).toHaveLength(2)
    const traffic = await startTraffic(stack, {})
    const rollout = await stack.begin('1.1.0')
    await stack.weight('1.1.0', 300)
    await stack.kill('controller')
    await stack.kill('agent')
    expect((await stack.get('/')).version).toMatch(/^1\.[01]\.0$/)
    expect(await engine.running()).toHaveLength(4)
    await stack.startController({ env: engine.env })
    expect(await stack.outcome(rollout)).toBe('promoted')
    const { requests, webSockets } = await traffic.stop()
    expect([requests.lost.samples, webSockets.unexpectedCloses]).toEqual([[], 0])

    const users = await startTraffic(stack, { webSockets: 0 })
    const bad = await stack.deploy('1.2.0')
    expect([bad.outcome, (await stack.get('/')).version]).toEqual(['rolled_back', '1.1.0'])
    expect((await users.stop()).requests.lost.samples).toEqual([])
    await eventually('only stable is left', async () => (await engine.running()).length === 2)
    expect((await stack.cli('logs', '--lines', '50')).out).toContain('version 1.1.0 listens on 3000')
    await stack.cli('down', '--yes')
    expect(await engine.containers()).toEqual([])
  })
})
