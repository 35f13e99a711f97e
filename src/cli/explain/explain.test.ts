import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { RolloutEvidence } from '../../core/rollout/replay/rollout-evidence.ts'
import {
  evidenceOf,
  recordedOf,
  replayOf,
  rollOut,
  storedEvents,
  viewOf,
} from '../../testkit/simulator/course.test.kit.ts'
import type { World } from '../../testkit/simulator/world.ts'
import { type FakeController, startFakeController } from '../fixture/fake-controller.test.fixture.ts'
import { createTestProject, type TestProject } from '../fixture/project.test.fixture.ts'
import { createTestIo } from '../fixture/test-io.test.fixture.ts'
import { serviceView } from '../fixture/view.test.fixture.ts'
import { runCli } from '../main.ts'
import { widthOfLine } from '../text/line.ts'
import { rolloutLines } from './rollout-text.ts'

describe('a rollout explained in words', () => {
  let bad: RolloutEvidence
  let good: RolloutEvidence
  beforeAll(() => {
    bad = evidenceOf(rollOut({ errorShare: 0.04, requestsPerSecond: 200, dispersion: null }))
    good = evidenceOf(rollOut({ errorShare: 0, requestsPerSecond: 60, dispersion: 1 }))
  })
  const textOf = (evidence: RolloutEvidence, columns: number): string =>
    rolloutLines(evidence, columns)
      .map((line) => line.map(({ text }) => text).join(''))
      .join('\n')

  it.each([60, 80, 120, 200])('fits %i columns', (columns) => {
    for (const evidence of [bad, good])
      for (const line of rolloutLines(evidence, columns))
        expect(widthOfLine(line)).toBeLessThanOrEqual(columns)
  })

  it('has sentence, counts of both sides, evidence, crossing, bounds and the curve of what was found worse', () => {
    const text = textOf(bad, 100)
    expect(text).toMatch(/^shop 1\.1\.0 in local: rolled back\./)
    expect(text).toMatch(/errors against stable {2}✗ worse/)
    expect(text).toMatch(/1\.1\.0 +[\d.]+% \([\d,]+ of [\d,]+\)/)
    expect(text).toMatch(/evidence +[\d.]+ now, [\d.]+ at most; worse from 5\.70 on \(logarithms\)/)
    expect(text).toMatch(/chance +p 0\.00\d+: 1 in [\d,]+ healthy rollouts would look this bad at some time/)
    expect(text).toMatch(/crossed +with batch \d+ at \d\d:\d\d:\d\d UTC/)
    expect(text).toMatch(/at least +.*points over stable/)
    expect(text).toMatch(/would pass +up to [\d.]+% instead/)
    expect(text).toMatch(/over time +▁.*█/)
    expect(text).toMatch(/looks +\d+, evidence divided by 2, weaker evidence/)
  })

  it('says what is still needed where nothing was decided, and what all of it does not say', () => {
    const text = textOf(good, 100)
    expect(text).toMatch(/needed +about [\d,]+ more requests to notice/)
    expect(text).toContain('What this does not say')
    expect(text.replaceAll(/\s+/g, ' ')).toMatch(
      /a rise of less than about [\d.]+ points would not have been noticed/,
    )
    expect(text).toMatch(/metric +stable +candidate +change +health target/)
    expect(text).toMatch(/error rate +0\.0% +0\.0% +none +met < 0\.1%/)
    expect(text).toMatch(/CPU +not known +not known +- +not known < 70%/)
    expect(text).toContain('CPU, memory and disk of the candidate are not known: this target cannot tell')
  })
})

describe('explain and replay', () => {
  let project: TestProject
  let controller: FakeController
  let world: World
  beforeAll(() => {
    world = rollOut({ errorShare: 0.04, requestsPerSecond: 200, dispersion: 1 })
  })
  beforeEach(async () => {
    project = createTestProject()
    const view = serviceView({ rollout: viewOf(world) })
    controller = await startFakeController({ stateFolder: project.stateFolder, view })
    controller.answer('explain_rollout', () => ({ result: { evidence: evidenceOf(world) } }))
    controller.answer('replay_rollout', () => ({ result: replayOf(storedEvents(world), recordedOf(world)) }))
  })
  afterEach(async () => {
    await controller.close()
    project.remove()
  })
  const run = async (...argv: string[]) => {
    const io = createTestIo({ cwd: project.folder, env: { NO_COLOR: '1' } })
    const code = await runCli(argv, io)
    return { code, out: io.stdout(), err: io.stderr(), documents: () => io.documents() }
  }

  it('takes the current or last rollout of the service, or an id', async () => {
    const { code, out } = await run('explain', 'last')
    expect(code).toBe(0)
    expect(out).toContain('errors against stable  ✗ worse')
    expect(out).not.toContain('\u001b')
    await run('replay', 'rollout-77')
    const asked = controller.calls.filter(({ operation }) => /rollout$/.test(operation))
    expect(asked.map(({ input }) => input.id)).toEqual([viewOf(world).id, 'rollout-77'])
  })

  it('still shows the settings without a rollout', async () => {
    const { code, out } = await run('explain')
    expect(code).toBe(0)
    expect(out).toContain('alpha')
    expect(await run('explain', '--svg', 'x.svg')).toMatchObject({ code: 2 })
  })

  it('prints one document with the version of its shape', async () => {
    const { documents } = await run('explain', 'last', '--json')
    expect(documents()).toMatchObject([
      {
        schemaVersion: 1,
        type: 'rollout-explanation',
        evidence: { candidate: '1.1.0', checks: expect.any(Array) },
      },
    ])
    const replayed = await run('replay', '--json')
    expect(replayed.documents()).toMatchObject([{ schemaVersion: 1, type: 'replay', isEqual: true }])
  })

  it('draws the named check into a file', async () => {
    const { code, err } = await run(
      'explain',
      'last',
      '--check',
      'errors against stable',
      '--svg',
      'errors.svg',
    )
    expect(code).toBe(0)
    expect(err).toContain('errors.svg')
    const drawing = readFileSync(path.join(project.folder, 'errors.svg'), 'utf8')
    expect(drawing).toMatch(/^<svg /)
    expect(drawing).toContain('<title>errors against stable: worse</title>')
  })

  it('names the checks there were, and the file that cannot be written', async () => {
    const unknown = await run('explain', 'last', '--check', 'memory')
    expect(unknown).toMatchObject({ code: 2 })
    expect(unknown.err).toContain('errors against stable')
    const unwritable = await run('explain', 'last', '--svg', 'nowhere/x.svg')
    expect(unwritable.code).toBe(13)
    expect(unwritable.err).toContain('CHART_UNWRITABLE')
  })

  it('ends with 0 when all is equal, with 1 and the places when it is not, with 14 without batches', async () => {
    const equal = await run('replay')
    expect(equal).toMatchObject({ code: 0 })
    expect(equal.out).toMatch(
      /^equal: \d+ batches of .* judged again; \d+ verdicts came out the same bit for bit/,
    )

    const recorded = recordedOf(world)
    const events = storedEvents(world)
    const gone = events.findIndex(
      (event) => event.kind === 'metrics-observed' && (event.batch?.candidate.errors ?? 0) > 0,
    )
    controller.answer('replay_rollout', () => ({ result: replayOf(events.toSpliced(gone, 1), recorded) }))
    const differs = await run('replay')
    expect(differs.code).toBe(1)
    expect(differs.out).toMatch(/batch \d+ does not follow from the counters at \d\d:\d\d:\d\d UTC: /)
    expect(differs.out).toMatch(/recorded +.+\n +recomputed +/)

    controller.answer('replay_rollout', () => ({
      result: replayOf([], { ...recorded, views: [], states: null }),
    }))
    expect(await run('replay')).toMatchObject({ code: 14 })
    controller.answer('explain_rollout', () => ({ result: { evidence: null } }))
    expect(await run('explain', 'last')).toMatchObject({ code: 14 })
  })
})
