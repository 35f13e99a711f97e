import { describe, expect, it } from 'vitest'
import { ALL_BUT_HARD } from '../../core/analysis/dry-run.ts'
import type { StageCriteria } from '../../core/release/strategy-settings.ts'
import { evidenceOf, recordedOf, replayOf, storedEvents, viewOf } from './course.test.kit.ts'
import { decidedWeights, NEW, stage, waitingOn, withCandidateAt } from './scene.ts'
import { type SettingsChange, simulatedSettings } from './settings.ts'
import { createWorld, isOver, stepKind, type World } from './world.ts'

const isPaused = ({ state }: World): boolean => {
  const phase = state().rollout?.phase
  return phase?.kind === 'running' && phase.paused !== null
}
const worldWith = (change: SettingsChange, requestsPerSecond = 400): World =>
  createWorld({ settings: simulatedSettings(change), requestsPerSecond })
const checkNamed = (world: World, name: string) => viewOf(world).checks.find((check) => check.name === name)

describe('a candidate that answers too few requests', () => {
  const slow = { strategy: { steps: [stage(100, 900_000), stage(1000)] } }
  const hanging = (world: World): World => {
    world.router.quality(`${NEW}-r`, { hangShare: 0.8 })
    return withCandidateAt(100, world)
  }

  it('pauses the rollout after a minute, with what was due, and can be explained and replayed', () => {
    const world = hanging(worldWith({ ...slow, analysis: { warning: { throughputPercent: 50 } } }))
    const began = world.now()
    world.passUntil(() => isPaused(world))
    expect(world.now() - began).toBeGreaterThanOrEqual(60_000)
    expect(world.state().rollout?.reason).toMatchObject({
      code: 'CHECK_WARNING',
      evidence: { check: 'throughput (warning)' },
      message: expect.stringContaining('limit 50% of what is due for 1m or more'),
    })
    const [evidence] = evidenceOf(world).checks.filter(({ about }) => about === 'throughput')
    expect(evidence).toMatchObject({ verdict: 'worse', harm: 'less', limitShare: 0.5 })
    expect(evidence?.passing).toBeGreaterThan(0.2)
    expect(evidence?.passing).toBeLessThan(0.6)
    expect(replayOf(storedEvents(world), recordedOf(world))).toMatchObject({ isEqual: true })
  })

  it('goes back once that has lasted for five minutes', () => {
    const forLong = { throughputPercent: 50, overMs: 300_000 }
    const world = hanging(worldWith({ ...slow, analysis: { critical: { forLong }, warning: {} } }))
    const began = world.now()
    world.passUntil(isOver, 900_000)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.now() - began).toBeGreaterThanOrEqual(300_000)
    expect(world.now() - began).toBeLessThan(400_000)
  })

  it('is not blamed for the shares of earlier stages', () => {
    const forLong = { throughputPercent: 50, overMs: 10_000 }
    const steps = [stage(50, 60_000), stage(250, 60_000), stage(500, 60_000), stage(1000)]
    const analysis = { critical: { forLong }, warning: { throughputPercent: 50 } }
    const world = withCandidateAt(50, worldWith({ strategy: { steps }, analysis }))
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(world.eventsOf('rollout-paused')).toEqual([])
  })
})

describe('latency that is worse for long', () => {
  it('goes back for a p95 of 1.5 times stable, and not before its time', () => {
    const forLong = { p95TimesStable: 1.5, overMs: 300_000 }
    const compare = { errors: null, latency: null }
    const analysis = { compare, critical: { forLong }, warning: {} }
    const steps = [stage(100, 900_000), stage(1000)]
    const world = worldWith({ strategy: { steps }, analysis })
    world.router.quality(`${NEW}-r`, { bucket: 9 })
    withCandidateAt(100, world)
    const began = world.now()
    world.passUntil(isOver, 900_000)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.now() - began).toBeGreaterThanOrEqual(295_000)
    expect(world.state().rollout?.reason.message).toContain('p95 over stable for long (critical)')
  })
})

describe('crashes of instances', () => {
  it('are compared with those of stable over a long time', () => {
    const compare = { errors: null, latency: null, crashes: { ratio: 1 } }
    const analysis = { compare, crashLimit: 10_000, failingInstancesPercent: 100, critical: {}, warning: {} }
    const steps = [stage(500, 3_600_000), stage(1000)]
    const world = withCandidateAt(500, worldWith({ strategy: { steps }, analysis }, 20))
    for (let crash = 0; crash < 80 && !isOver(world.state()); crash += 1) {
      world.target.crash(`${NEW}-r`, 1)
      world.pass(5000)
      world.target.restart(`${NEW}-r`)
      world.pass(20_000)
    }
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.state().rollout?.reason.message).toMatch(/^crashes against stable: candidate \d+ crashes in/)
    const [evidence] = evidenceOf(world).checks.filter(({ about }) => about === 'crashes')
    expect(evidence).toMatchObject({ verdict: 'worse', unit: 'per-100', stable: { bad: 0 } })
    expect(evidence?.atLeast.ratio).toBeGreaterThan(1)
    expect(replayOf(storedEvents(world), recordedOf(world))).toMatchObject({ isEqual: true })
  })
})

describe('a dry run', () => {
  it('judges and shows every check of numbers, and none has a consequence (S61)', () => {
    const world = worldWith({ analysis: { dryRun: [...ALL_BUT_HARD] } })
    world.router.quality(`${NEW}-r`, { errorShare: 0.3 })
    withCandidateAt(500, world)
    expect(checkNamed(world, 'error rate (critical)')).toMatchObject({
      tier: 'report',
      verdict: 'worse',
      sentence: expect.stringMatching(/; a dry run: without it this would roll back$/),
    })
    expect(checkNamed(world, 'error rate (warning)')?.sentence).toMatch(/would pause$/)
    expect(evidenceOf(world).checks).toContainEqual(
      expect.objectContaining({ tier: 'report', sentence: expect.stringMatching(/this would roll back$/) }),
    )
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(world.eventsOf('rollout-paused')).toEqual([])
  })

  it('is one of the named checks alone', () => {
    const world = worldWith({ analysis: { dryRun: ['errors against stable'] } })
    world.router.quality(`${NEW}-r`, { errorShare: 0.3 })
    world.withStable()
    world.deploy(NEW)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.state().rollout?.reason.evidence).toMatchObject({ check: 'error rate (critical)' })
  })

  it('of a criterion does not hold its stage', () => {
    const criteria: StageCriteria = { errorRatePercent: 1 }
    const steps = [{ ...stage(100), criteria }, stage(1000)]
    const analysis = {
      compare: { errors: null, latency: null },
      critical: {},
      warning: {},
      dryRun: ['error rate'],
    }
    const world = worldWith({ strategy: { steps }, analysis })
    world.router.quality(`${NEW}-r`, { errorShare: 0.02 })
    withCandidateAt(100, world)
    world.pass(5000)
    expect(checkNamed(world, 'error rate')).toMatchObject({ tier: 'report', verdict: 'worse' })
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('of a crash loop tells what it would have done, and nothing goes back; without its name it does', () => {
    const analysis = { crashLimit: 2, failingInstancesPercent: 100 }
    const crashing = (dryRun: string[]): World => {
      const world = withCandidateAt(500, worldWith({ analysis: { ...analysis, dryRun } }))
      world.target.crash(`${NEW}-r`)
      world.pass(1000)
      return world
    }
    expect(crashing([...ALL_BUT_HARD]).state().rollout?.reason.code).toBe('CRASH_LOOP')
    const dry = crashing(['crash loop'])
    expect(checkNamed(dry, 'crash loop')).toMatchObject({
      tier: 'report',
      sentence: expect.stringMatching(
        /crashed 2 times \(limit 2\).*; a dry run: without it this would roll back$/,
      ),
    })
    dry.target.restart(`${NEW}-r`)
    dry.passUntil(isOver)
    expect(dry.outcomes().at(-1)).toBe('promoted')
  })

  it('stands in the plan, and those that are certain stand out', () => {
    const warningsWith = (dryRun: string[]): string[] => {
      const world = worldWith({ analysis: { dryRun } })
      world.withStable()
      world.deploy(NEW)
      return world.state().rollout?.plan.warnings ?? []
    }
    expect(warningsWith(['p99 latency (critical)', 'crash loop'])).toEqual([
      'DANGER: crash loop is a dry run: a candidate that breaks for certain is not taken back.',
      'Dry run: p99 latency (critical) is judged and shown, without any consequence.',
    ])
    expect(warningsWith([...ALL_BUT_HARD])).toEqual([
      'Dry run: all checks of numbers and all criteria of stages are judged and shown, and none of them pauses or rolls back.',
    ])
    expect(warningsWith([])).toEqual([])
  })
})

describe('looks at the criteria of a stage (S60)', () => {
  const demanding = (criteria: StageCriteria): World => {
    const steps = [{ ...stage(500), criteria: { errorRatePercent: 1, ...criteria } }, stage(1000)]
    const analysis = { compare: { errors: null, latency: null }, critical: {}, warning: {}, minRequests: 5 }
    return worldWith({ strategy: { steps }, analysis })
  }

  it('must find them met so many times one after the other', () => {
    const world = withCandidateAt(500, demanding({ consecutivePasses: 25 }))
    const began = world.now()
    world.pass(15_000)
    expect(waitingOn(world)).toMatchObject({
      kind: 'criteria',
      message: expect.stringMatching(/^the criteria were met at 1\d of 25 looks one after the other$/),
    })
    world.passUntil(() => world.weightOf(NEW) === 1000)
    expect(world.now() - began).toBeGreaterThanOrEqual(24_000)
  })

  it('begin anew after one at which they were not met', () => {
    const world = withCandidateAt(500, demanding({ consecutivePasses: 8 }))
    world.pass(5000)
    world.router.quality(`${NEW}-r`, { errorShare: 0.2 })
    world.pass(2000)
    expect(world.state().rollout?.stageLooks.passes).toBe(0)
    world.router.quality(`${NEW}-r`, { errorShare: 0 })
    world.pass(5000)
    expect(world.weightOf(NEW)).toBe(500)
  })

  it('pause the rollout after so many at which they were not met once its time was over, and never promote it (S49)', () => {
    const world = demanding({ failureLimit: 5 })
    world.router.quality(`${NEW}-r`, { errorShare: 0.02 })
    withCandidateAt(500, world)
    world.pass(12_000)
    expect(isPaused(world)).toBe(false)
    world.passUntil(() => isPaused(world), 10_000)
    expect(world.state().rollout?.reason).toMatchObject({
      code: 'STAGE_CRITERIA_NOT_MET',
      message: expect.stringMatching(
        /^after the time of the stage its criteria were not met at 5 looks in a row: error rate 2\.\d% does not meet < 1%$/,
      ),
    })
    world.byHand('resume')
    world.pass(30_000)
    expect(isPaused(world)).toBe(false)
    expect(stepKind(world.state())).toBe('observe')
    expect(decidedWeights(world).at(-1)).toBe(500)
  })

  it.each<[string, StageCriteria, 'waits' | 'pauses', number]>([
    ['neither: missed it waits, met it goes on with its time', {}, 'waits', 10_000],
    ['passes alone: missed it waits, met it goes on after them', { consecutivePasses: 20 }, 'waits', 19_000],
    ['a limit alone: missed it pauses, met it goes on with its time', { failureLimit: 5 }, 'pauses', 10_000],
    [
      'both: missed it pauses, met it goes on after the passes',
      { consecutivePasses: 20, failureLimit: 5 },
      'pauses',
      19_000,
    ],
  ])('combine in four ways: %s', (_name, criteria, missed, metAfterMs) => {
    const bad = demanding(criteria)
    bad.router.quality(`${NEW}-r`, { errorShare: 0.02 })
    withCandidateAt(500, bad)
    bad.pass(40_000)
    expect(isPaused(bad)).toBe(missed === 'pauses')
    expect(decidedWeights(bad).at(-1)).toBe(500)
    const good = withCandidateAt(500, demanding(criteria))
    const began = good.now()
    good.passUntil(() => good.weightOf(NEW) === 1000)
    expect(good.now() - began).toBeGreaterThanOrEqual(metAfterMs - 1000)
    expect(good.now() - began).toBeLessThanOrEqual(metAfterMs + 5000)
  })

  it('wait without end where no limit is set', () => {
    const world = demanding({})
    world.router.quality(`${NEW}-r`, { errorShare: 0.02 })
    withCandidateAt(500, world)
    world.pass(60_000)
    expect(isPaused(world)).toBe(false)
  })
})
