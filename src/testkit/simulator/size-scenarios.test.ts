import { describe, expect, it } from 'vitest'
import { instancesOf, NEW, stage, withCandidateAt } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver } from './world.ts'

const served = (replicas: number): World => {
  const world = createWorld({ settings: simulatedSettings({ replicas }) })
  world.withStable()
  return world
}

describe('a release with another number of instances', () => {
  it.each([
    [2, 4],
    [4, 2],
  ])('and other bytes, from %i to %i, arrives with its own number (S24, S97)', (before, after) => {
    const world = served(before)
    world.deploy(NEW, { settings: simulatedSettings({ replicas: after }) })
    world.passUntil(() => world.weightOf(NEW) === 500)
    expect(instancesOf(world, '1.0.0')).toHaveLength(before)
    world.passUntil(isOver)
    world.pass(10_000)
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(instancesOf(world, NEW)).toHaveLength(after)
    expect(instancesOf(world, '1.0.0')).toEqual([])
  })
})

describe('what begins no rollout', () => {
  it('a new controller, or one of another version, only looks (S101)', () => {
    const world = served(2)
    const before = world.eventsOf('rollout-started').length
    const writes = world.router.written().length
    world.restartController(5000)
    world.pass(60_000)
    expect(world.eventsOf('rollout-started')).toHaveLength(before)
    expect(world.eventsOf('set-wanted')).toHaveLength(1)
    expect(world.router.weights()).toEqual({ '1.0.0-r': 1000 })
    expect(world.router.written()).toHaveLength(writes + 1)
  })
})

describe('a plan that is on its way', () => {
  it('stays as it was agreed to, whatever the file says meanwhile (S22)', () => {
    const world = withCandidateAt(50)
    const plan = world.state().rollout?.plan
    world.deploy(NEW, { settings: simulatedSettings({ strategy: { steps: [stage(1000)] } }) })
    expect(world.state().rollout?.plan).toEqual(plan)
    world.passUntil(isOver)
    expect(world.outcomes()).toEqual(['promoted', 'promoted'])
  })

  it('records the step that a person jumps over (S23)', () => {
    const world = withCandidateAt(50)
    world.byHand('promote')
    const { rollout } = world.state()
    const skipped = rollout?.steps.filter(({ state }) => state === 'skipped')
    expect(skipped).toHaveLength(1)
    expect(world.eventsOf('step-finished').filter((event) => event.skipped)).toMatchObject([
      { reason: { code: 'PROMOTED_BY_HAND', actor: { name: 'ada' } } },
    ])
  })
})

describe('a controller that dies between two measurements', () => {
  it('goes on with the counts and the time that it had (S62)', () => {
    const world = withCandidateAt(250)
    world.pass(5000)
    const before = world.state().rollout?.atStep.candidate.requests ?? 0
    const startedAt = world.state().rollout?.steps[world.state().rollout?.stepIndex ?? 0]?.startedAt ?? 0
    world.restartController()
    expect(world.state().rollout?.atStep.candidate.requests).toBe(before)
    world.passUntil(() => world.weightOf(NEW) === 500)
    expect(world.now() - startedAt).toBeLessThanOrEqual(12_000)
    const steps = world.eventsOf('step-started').map(({ index }) => index)
    expect(new Set(steps.slice(3)).size).toBe(steps.slice(3).length)
  })
})
