import { describe, expect, it } from 'vitest'
import type { ServiceSettings } from '../../core/release/settings.ts'
import type { ObservedUse } from '../../core/rollout/judging/resource-state.ts'
import { checkViews } from '../../core/rollout/view/check-view.ts'
import { recordedOf, replayOf, storedEvents } from './course.test.kit.ts'
import { NEW, stage, withCandidateAt } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import { createWorld, isOver, type World } from './world.ts'

const CANDIDATE = `${NEW}-r`
const STABLE = '1.0.0-r'
const MIB = 1024 ** 2

function withLess(use: ObservedUse): ObservedUse {
  const { batch } = use
  if (batch?.candidate === null || batch === null) return use
  return { ...use, batch: { ...batch, candidate: { ...batch.candidate, cpuMs: 1 } } }
}

type Limits = ServiceSettings['analysis']['warning']

function worldWith(
  warning: Limits,
  {
    resources = {},
    critical = {},
    dryRun = [],
  }: { resources?: ServiceSettings['run']['resources']; critical?: Limits; dryRun?: string[] } = {},
): World {
  const settings = simulatedSettings({
    strategy: { steps: [stage(500, 60_000), stage(1000)] },
    analysis: { warning, critical, dryRun, compare: { errors: null, latency: null } },
  })
  return createWorld({ settings: { ...settings, run: { ...settings.run, resources } } })
}

const isPaused = (world: World): boolean => {
  const { rollout } = world.state()
  return rollout?.phase.kind === 'running' && rollout.phase.paused !== null
}
const rowOf = (world: World, name: string) => {
  const { rollout } = world.state()
  return rollout === null ? undefined : checkViews(rollout).find((row) => row.name === name)
}
const pauseOf = (world: World) => world.eventsOf('rollout-paused')[0]

describe('limits of resources', () => {
  it('pauses for a candidate that burns the CPU that is declared, and says of what', () => {
    const world = worldWith({ cpuPercent: 80 }, { resources: { cpus: 0.5 } })
    world.target.consume(CANDIDATE, { cpus: 1 })
    withCandidateAt(500, world)
    world.passUntil(() => isPaused(world))
    expect(pauseOf(world)).toMatchObject({
      checks: ['CPU (warning)'],
      reason: {
        code: 'CHECK_WARNING',
        message:
          'CPU (warning): candidate 200% (2 of 1 declared CPU), stable 10% (0.1 of 1 declared CPU); limit 80%, above it in 3 of the last 3 evaluations',
      },
    })
    expect(rowOf(world, 'CPU (warning)')).toMatchObject({ verdict: 'warning', tier: 'warning' })
    world.byHand('resume')
    world.passUntil(isOver)
    expect(world.eventsOf('rollout-paused')).toHaveLength(1)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('takes the host for the base where nothing is declared', () => {
    const world = worldWith({ cpuPercent: 80 })
    world.target.consume(CANDIDATE, { cpus: 0.95 })
    withCandidateAt(500, world)
    world.passUntil(() => isPaused(world))
    expect(pauseOf(world)?.reason.message).toContain("candidate 95% (1.9 of the host's 2 CPUs)")
  })

  it('excuses a candidate where stable is above the limit as well', () => {
    const world = worldWith({ cpuPercent: 80 }, { resources: { cpus: 1 } })
    for (const release of [CANDIDATE, STABLE]) world.target.consume(release, { cpus: 0.95 })
    withCandidateAt(500, world)
    world.pass(30_000)
    expect(isPaused(world)).toBe(false)
    expect(rowOf(world, 'CPU (warning)')).toMatchObject({
      verdict: 'watching',
      sentence: expect.stringMatching(
        /above it in 5 of the last 5 evaluations; so is stable at the same time, so it does not tell the versions apart$/,
      ),
    })
  })

  it('does not excuse one that uses far more than a stable that is above the limit', () => {
    const world = worldWith({ cpuPercent: 80 }, { resources: { cpus: 0.5 } })
    world.target.consume(STABLE, { cpus: 0.45 })
    world.target.consume(CANDIDATE, { cpus: 0.9 })
    withCandidateAt(500, world)
    world.passUntil(() => isPaused(world))
    expect(pauseOf(world)?.checks).toEqual(['CPU (warning)'])
  })

  it('judges nothing where the target cannot tell, and says so', () => {
    const world = withCandidateAt(500, worldWith({ cpuPercent: 80, memoryPercent: 85, diskPercent: 80 }))
    world.pass(20_000)
    expect(isPaused(world)).toBe(false)
    for (const name of ['CPU (warning)', 'memory (warning)', 'disk (warning)'])
      expect(rowOf(world, name)).toMatchObject({
        verdict: 'no-data',
        sentence: `${name}: not judged, since this target cannot tell what its instances use`,
      })
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('leaves the start of a stage out, and does not mind a moment', () => {
    const world = worldWith({ cpuPercent: 80 }, { resources: { cpus: 1 } })
    world.target.consume(CANDIDATE, { cpus: 2 })
    withCandidateAt(500, world)
    world.pass(2000)
    world.target.consume(CANDIDATE, { cpus: 0.1 })
    world.pass(10_000)
    for (let moment = 0; moment < 3; moment += 1) {
      world.target.consume(CANDIDATE, { cpus: 2 })
      world.pass(2000)
      world.target.consume(CANDIDATE, { cpus: 0.1 })
      world.pass(6000)
    }
    expect(world.eventsOf('rollout-paused')).toEqual([])
  })

  it('rolls back where the file has a critical limit', () => {
    const world = worldWith({}, { critical: { memoryPercent: 90 }, resources: { memoryBytes: 100 * MIB } })
    world.target.consume(CANDIDATE, { memoryBytes: 97 * MIB })
    withCandidateAt(500, world)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.eventsOf('return-started')[0]?.reason).toMatchObject({
      code: 'CHECK_CRITICAL',
      message: expect.stringContaining('memory (critical): candidate 97% (97.0 MiB of 100.0 MiB declared)'),
    })
  })

  it('holds a busy disk against the candidate only where it reads and writes more than stable', () => {
    const busy = (candidateRate: number): World => {
      const world = worldWith({ diskPercent: 80 })
      world.target.busyDisk(95)
      world.target.consume(STABLE, { diskBytesPerSecond: MIB })
      world.target.consume(CANDIDATE, { diskBytesPerSecond: candidateRate })
      return withCandidateAt(500, world)
    }
    const alike = busy(1.2 * MIB)
    alike.pass(20_000)
    expect(isPaused(alike)).toBe(false)
    expect(rowOf(alike, 'disk (warning)')?.sentence).toContain(
      'does not read and write much more than stable',
    )
    const greedy = busy(4 * MIB)
    greedy.passUntil(() => isPaused(greedy))
    expect(pauseOf(greedy)?.reason.message).toContain(
      'the busiest disk of the host is busy 95% of the time; an instance of the candidate reads and writes 4.0 MiB/s, one of stable 1.0 MiB/s; limit 80%',
    )
  })

  it('says where only the host cannot tell how busy its disk is', () => {
    const world = worldWith({ diskPercent: 80, cpuPercent: 80 })
    world.target.busyDisk(null)
    world.target.consume(CANDIDATE, { cpus: 0.1 })
    withCandidateAt(500, world)
    world.pass(20_000)
    expect(rowOf(world, 'disk (warning)')?.sentence).toContain(
      'this host does not tell how busy its disks are',
    )
    expect(rowOf(world, 'CPU (warning)')).toMatchObject({ verdict: 'ok' })
  })

  it('has no consequence as a dry run', () => {
    const world = worldWith({ cpuPercent: 80 }, { dryRun: ['CPU (warning)'], resources: { cpus: 0.5 } })
    world.target.consume(CANDIDATE, { cpus: 1 })
    withCandidateAt(500, world)
    world.pass(20_000)
    expect(rowOf(world, 'CPU (warning)')).toMatchObject({ verdict: 'worse', tier: 'report' })
    expect(isPaused(world)).toBe(false)
  })

  it('is judged again from the journal, bit for bit, and a changed counter gives itself away', () => {
    const world = worldWith({ cpuPercent: 80, memoryPercent: 85 }, { resources: { cpus: 0.5 } })
    world.target.consume(CANDIDATE, { cpus: 0.43 })
    withCandidateAt(500, world)
    world.passUntil(() => isPaused(world))
    world.byHand('abort')
    world.passUntil(isOver)
    const events = storedEvents(world)
    const recorded = recordedOf(world)
    expect(recorded.resources?.gauges).toHaveLength(2)
    const again = replayOf(events, recorded)
    expect(again).toMatchObject({ isEqual: true, differences: [] })
    expect(again.decisions).toBeGreaterThan(0)
    const changed = events.map((event) =>
      event.kind === 'metrics-observed' && event.use?.batch?.candidate
        ? { ...event, use: withLess(event.use) }
        : event,
    )
    const { differences } = replayOf(changed, recorded)
    expect(differences[0]).toMatchObject({ kind: 'batch', what: 'use candidate cpuMs' })
    expect(differences).toContainEqual(
      expect.objectContaining({ kind: 'decision', recomputed: 'no check is broken at this moment' }),
    )
  })

  it('forgets what was measured long ago', () => {
    const world = worldWith({ cpuPercent: 80 }, { resources: { cpus: 0.5 }, dryRun: ['CPU (warning)'] })
    world.target.consume(CANDIDATE, { cpus: 1 })
    withCandidateAt(500, world)
    world.pass(10_000)
    expect(rowOf(world, 'CPU (warning)')?.verdict).toBe('worse')
    world.target.tellUse(false)
    world.pass(35_000)
    expect(rowOf(world, 'CPU (warning)')?.verdict).toBe('no-data')
  })
})
