import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../../config/load.ts'
import { composePlan } from '../../core/plan/compose.ts'
import type { Plan } from '../../core/plan/plan.ts'
import type { Release } from '../../core/release/release.ts'
import { type FakeController, startFakeController } from '../fixture/fake-controller.test.fixture.ts'
import { createTestProject, type TestProject } from '../fixture/project.test.fixture.ts'
import { createTestIo } from '../fixture/test-io.test.fixture.ts'
import { serviceView } from '../fixture/view.test.fixture.ts'
import { runCli } from '../main.ts'

const CONFIG = `service: shop
run: { artifact: "./releases/{{version}}", command: "node server.js", replicas: 2 }
listen: 127.0.0.1:0
health: { path: /up }
strategy:
  canary:
    steps: [{ weight: 10%, pause: 20s }, { weight: 50%, pause: 20s }]
    watch: 30s
`

function planIn(folder: string, stable: string): Plan {
  const loaded = loadConfig({ file: path.join(folder, 'sluice.yaml') })
  const settings = loaded.kind === 'ok' ? loaded.value.services[0] : undefined
  if (settings === undefined) throw new Error('the file does not load')
  const release = (version: string): Release => ({
    ...{ id: `${version}-r`, stream: 'shop.local', version, settings, secretVersions: {}, adopted: false },
    artifact: { digest: `sha256:${version}`, folder: '', bytes: 1, files: 1 },
    ...{ createdAt: 0, createdBy: 'ada' },
  })
  const content = composePlan({
    ...{ release: release('1.1.0'), stable: release(stable), candidate: null, kind: 'deploy', back: null },
    history: { provisionMs: null, drainMs: null, trafficOffMs: [] },
    ...{ actor: 'ada', now: 1_700_000_000_000, warnings: [] },
  })
  return { ...content, id: 'plan-a1', hash: 'h' }
}

describe('sluice simulate', () => {
  let project: TestProject
  let controller: FakeController
  beforeEach(async () => {
    project = createTestProject()
    writeFileSync(path.join(project.folder, 'sluice.yaml'), CONFIG)
    controller = await startFakeController({ stateFolder: project.stateFolder, view: serviceView() })
    const plan = planIn(project.folder, '1.0.0')
    controller.answer('plan', () => ({ result: plan }))
    controller.answer('get_plan', () => ({ result: plan }))
  })
  afterEach(async () => {
    await controller.close()
    project.remove()
  })
  const run = async (metrics: string | null, ...more: string[]) => {
    if (metrics !== null) writeFileSync(path.join(project.folder, 'm.yaml'), metrics)
    const io = createTestIo({ cwd: project.folder, env: { SLUICE_PLAIN: '1' } })
    const code = await runCli(['simulate', ...more, ...(metrics === null ? [] : ['--metrics', 'm.yaml'])], io)
    return { code, out: io.stdout(), err: io.stderr(), io }
  }
  const GOOD = 'metrics: [{ from: 0s, requestRate: 200 }]'
  const BAD = 'metrics: [{ from: 0s, requestRate: 200, candidate: { errorRate: 25% } }]'

  it('ends with 0 and the whole course for a good script', async () => {
    const { code, out } = await run(GOOD, '1.1.0')
    expect(code).toBe(0)
    expect(out).toContain('Simulated: shop in local, 1.0.0 → 1.1.0')
    expect(out).toMatch(/\+0ms {2}deploy of 1\.1\.0 began/)
    expect(out).toMatch(/\+1m1\ds {2}promoted: 1\.1\.0 is stable and takes all traffic/)
    expect(out).toContain('peak      4 instances at the same time')
    expect(controller.calls.map(({ operation }) => operation)).toEqual(['plan'])
  })

  it('ends with 10 for a bad one, in the words of explain, and takes a plan by its id', async () => {
    const { code, out } = await run(BAD, 'plan-a1', '--explain')
    expect(code).toBe(10)
    expect(out).toMatch(/shop 1\.1\.0 in local: rolled back\. .*errors/i)
    expect(out).toMatch(/✗ worse/)
    expect(out).toContain('What this does not say')
    expect(controller.calls).toMatchObject([{ operation: 'get_plan', input: { id: 'plan-a1' } }])
  })

  it('gives all of it as JSON, the same for the same seed', async () => {
    const first = (await run(BAD, '1.1.0', '--json')).io.documents()
    expect(first).toMatchObject([
      { schemaVersion: 1, type: 'simulation', simulation: { outcome: 'rolled_back', seed: 1, lost: 0 } },
    ])
    expect((await run(BAD, '1.1.0', '--json')).io.documents()).toEqual(first)
    expect((await run(BAD, '1.1.0', '--json', '--seed', '9')).io.documents()).not.toEqual(first)
  })

  it('ends with 12 when it is not over within the time', async () => {
    const { code, out } = await run(GOOD, '1.1.0', '--limit', '15s')
    expect(code).toBe(12)
    expect(out).toMatch(/waits for {1,2}.*step time/)
  })

  it('refuses a file that cannot be used, and a call without one, before it asks for a plan', async () => {
    const unknown = await run('metrics: [{ from: 0s, errorRate: 5% }]', '1.1.0')
    expect([unknown.code, unknown.err]).toEqual([
      2,
      expect.stringContaining('m.yaml:1:23: unknown key "errorRate"'),
    ])
    const none = await run(null, '1.1.0')
    expect([none.code, none.err]).toEqual([2, expect.stringContaining('--metrics FILE')])
    const missing = await run(null, '1.1.0', '--metrics', 'none.yaml')
    expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('none.yaml cannot be read')])
    expect((await run(GOOD, '1.1.0', '--seed', 'x')).code).toBe(2)
    expect(controller.calls).toEqual([])
  })

  it('has nothing to simulate where nothing would be done', async () => {
    controller.answer('plan', () => ({ result: planIn(project.folder, '1.1.0') }))
    const { code, err } = await run(GOOD, '1.1.0')
    expect([code, err]).toEqual([0, expect.stringContaining('Nothing to simulate')])
  })

  it('draws a plan into a file', async () => {
    const io = createTestIo({ cwd: project.folder, env: { SLUICE_PLAIN: '1' } })
    expect(await runCli(['plan', '1.1.0', '--svg', 'plan.svg'], io)).toBe(3)
    expect(io.stderr()).toContain(`The chart of the plan is in ${path.join(project.folder, 'plan.svg')}`)
    const unwritable = createTestIo({ cwd: project.folder, env: { SLUICE_PLAIN: '1' } })
    expect(await runCli(['plan', '1.1.0', '--svg', 'none/plan.svg'], unwritable)).toBe(13)
    expect(unwritable.stderr()).toContain('cannot be written')
  })
})
