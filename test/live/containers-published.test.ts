import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AgentFixture, createAgentFixture } from '../../src/agent/agent-fixture.ts'
import { type DockerStand, startDocker, whyNoDocker } from './kit/docker.ts'

const APP = `
import { createServer } from 'node:net'
const { MODE, PORT } = process.env
if (MODE === 'deaf') setInterval(() => {}, 1000)
else createServer(() => {}).listen(Number(PORT), MODE === 'inside' ? '127.0.0.1' : '0.0.0.0')
process.on('SIGTERM', () => process.exit(0))
`
const why = whyNoDocker()

describe.skipIf(why !== null)(`containers at published ports${why === null ? '' : ` (${why})`}`, () => {
  let stand: DockerStand
  let image: string
  let fixture: AgentFixture
  beforeAll(async () => {
    stand = await startDocker()
    image = await stand.importImage('shop:1', { 'app.mjs': APP })
    fixture = await createAgentFixture()
    await fixture.launch({ env: { ...stand.env, SLUICE_CONTAINER_REACH: 'published' } })
  })
  afterAll(async () => {
    await fixture?.close()
    await stand?.close()
  })

  it('are ready by a TCP check only when their program listens, whoever takes connections for it', async () => {
    const phases = { intervalMs: 200, timeoutMs: 5000, successes: 2, failures: 1 }
    const put = (release: string, deadlineMs: number, sequence: number) =>
      fixture.put(
        fixture.spec(release, {
          command: [],
          folder: '',
          container: { image, port: 8080, network: null, volumes: [], secretFiles: false },
          env: { MODE: release },
          health: { check: { kind: 'tcp' }, ...phases, deadlineMs },
        }),
        1,
        sequence,
      )
    await put('well', 60_000, 1)
    const ready = await fixture.until(
      (all) => all.every(({ state }) => state === 'ready') && all.length === 1,
    )
    expect(ready[0]?.host).toBe('127.0.0.1')
    await put('deaf', 10_000, 2)
    await put('inside', 10_000, 3)
    const all = await fixture.until((seen) => seen.filter(({ state }) => state === 'failed').length === 2)
    const said = Object.fromEntries(
      all.map(({ release, state, lastProbeFailure }) => [release, `${state}: ${lastProbeFailure?.message}`]),
    )
    expect(said.well).toMatch(/^ready: /)
    expect(said.deaf).toMatch(/^failed: .*ended at once: nothing listens in the container/)
    // Where it can be looked up, why is said as well.
    expect(said.inside).toMatch(/^failed: .*listens on 127\.0\.0\.1:8080 inside its container/)
  })
})
