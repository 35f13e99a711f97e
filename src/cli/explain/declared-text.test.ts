import { readFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import {
  evidenceOf,
  recordedOf,
  replayOf,
  storedEvents,
  viewOf,
} from '../../testkit/simulator/course.test.kit.ts'
import { counts, declared, value } from '../../testkit/simulator/metric-world.test.kit.ts'
import { NEW } from '../../testkit/simulator/scene.ts'
import { simulatedSettings } from '../../testkit/simulator/settings.ts'
import { createWorld, isOver, type World } from '../../testkit/simulator/world.ts'
import { startFakeController } from '../fixture/fake-controller.test.fixture.ts'
import { createTestProject } from '../fixture/project.test.fixture.ts'
import { createTestIo } from '../fixture/test-io.test.fixture.ts'
import { serviceView } from '../fixture/view.test.fixture.ts'
import { runCli } from '../main.ts'
import { widthOfLine } from '../text/line.ts'
import { replayLines } from './replay-text.ts'
import { rolloutLines } from './rollout-text.ts'

const REVENUE = {
  kind: 'value',
  direction: 'less-is-worse',
  warningPercent: 10,
  criticalPercent: 50,
} as const
let world: World
beforeAll(() => {
  const metrics = [
    declared({ tier: 'report' }),
    declared({ name: 'revenue', tier: 'report', measure: REVENUE }),
  ]
  world = createWorld({ settings: simulatedSettings({ analysis: { metrics } }) })
  world.setMetricAnswers(({ metric }, version) => {
    const isNew = version === NEW
    return metric.name === 'revenue' ? value(isNew ? 85 : 100) : counts(isNew ? 15 : 1, 1000)
  })
  world.withStable()
  world.deploy(NEW)
  world.passUntil(isOver)
})

const textOf = (columns: number): string =>
  rolloutLines(evidenceOf(world), columns)
    .map((line) => line.map(({ text }) => text).join(''))
    .join('\n')

it.each([60, 80, 200])('declared metrics fit %i columns', (columns) => {
  for (const line of rolloutLines(evidenceOf(world), columns))
    expect(widthOfLine(line)).toBeLessThanOrEqual(columns)
})

it('a declared metric has counts, evidence, crossing, bounds, the curve, the query and its last window', () => {
  const text = textOf(100)
  expect(text).toMatch(/payment-failures {2}✗ worse/)
  expect(text).toMatch(/1\.1\.0 +1\.5% \(\d+ of [\d,]+\)/)
  expect(text).toMatch(/chance +p [\d.e-]+: 1 in [\d,]+ healthy rollouts/)
  expect(text).toMatch(/crossed +with window \d+ at \d\d:\d\d:\d\d UTC/)
  expect(text).toMatch(/at least +.*points over stable/)
  expect(text).toMatch(/would pass +up to [\d.]+% instead/)
  expect(text).toMatch(/query +count bad things/)
  expect(text).toMatch(/asked +command, last over \d+s until \d\d:\d\d:\d\d UTC: \d+ windows with numbers/)
  expect(text).toMatch(/over time +[▁▂▃▄▅▆▇]+█/)
})

it('a value has both curves and its limits, and says that it has no evidence', () => {
  const text = textOf(100)
  expect(text).toMatch(/revenue {2}! warning/)
  expect(text).toMatch(/distance +15% below stable/)
  expect(text).toMatch(/evidence +none: one number for each version has no statistics behind it/)
  expect(text).toMatch(/warned +with window 1 at /)
  expect(text).toMatch(/would pass +from 90 beside that value of stable/)
  expect(text).toMatch(/1\.1\.0 +▆+\n {2}1\.0\.0 +▇+/)
})

it('either is drawn into a file by its name', async () => {
  const project = createTestProject()
  onTestFinished(() => project.remove())
  const view = serviceView({ rollout: viewOf(world) })
  const controller = await startFakeController({ stateFolder: project.stateFolder, view })
  onTestFinished(() => controller.close())
  controller.answer('explain_rollout', () => ({ result: { evidence: evidenceOf(world) } }))
  for (const name of ['payment-failures', 'revenue']) {
    const io = createTestIo({ cwd: project.folder, env: { NO_COLOR: '1' } })
    const code = await runCli(['explain', 'last', '--check', name, '--svg', 'chart.svg'], io)
    expect(code).toBe(0)
    expect(io.stdout()).toContain(name)
    const drawing = readFileSync(path.join(project.folder, 'chart.svg'), 'utf8')
    expect(drawing).toContain(`<title>${name}: ${name === 'revenue' ? 'warning' : 'worse'}</title>`)
    expect(drawing).not.toMatch(/NaN|undefined|Infinity/)
  }
})

it('a replay tells of windows, of what nobody can make again, and of another method', () => {
  const lines = (replay: Parameters<typeof replayLines>[0]): string =>
    replayLines(replay, 200)
      .map((line) => line.map(({ text }) => text).join(''))
      .join('\n')
  const replay = replayOf(storedEvents(world), recordedOf(world))
  expect(lines(replay)).toMatch(
    /^equal: \d+ batches and \d+ windows of declared metrics of rollout-2 judged again/,
  )
  const aborted = { at: 0, what: 'ABORTED', why: 'ada asked for it' }
  expect(lines({ ...replay, notRecomputed: [aborted] })).toContain(
    'not made again: ABORTED at 00:00:00 UTC, ada asked for it',
  )
  const other = {
    ...replay,
    isEqual: false,
    standing: 'other-method' as const,
    method: { now: 2, recorded: [1] },
  }
  expect(lines(other)).toMatch(
    /^other method: .*it was judged by method 1, and this version judges by method 2\./,
  )
})
