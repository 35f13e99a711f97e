import { describe, expect, it } from 'vitest'
import { problem } from '../../core/shared/problem.ts'
import { decidedWeights, instancesOf, NEW, stage, waitingOn, withCandidateAt } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import { createWorld, isOver } from './world.ts'

describe('a first release', () => {
  it('goes straight to everything when ready, without stages (S1)', () => {
    const world = createWorld()
    world.deploy('1.0.0')
    world.pass(1000)
    expect(world.router.written()).toEqual([])
    world.passUntil(isOver)
    expect(world.router.written()).toEqual([{ '1.0.0-r': 1000 }])
    expect(world.outcomes()).toEqual(['promoted'])
  })

  it('that never becomes ready fails, its instances stop, and a later good one heals it (S2)', () => {
    const world = createWorld()
    world.target.behave('1.0.0-r', 'never-ready')
    world.deploy('1.0.0')
    world.passUntil(isOver)
    world.pass(5000)
    expect(world.outcomes()).toEqual(['failed'])
    expect(instancesOf(world, '1.0.0')).toEqual([])
    world.withStable('1.0.1')
    expect(world.outcomes()).toEqual(['failed', 'promoted'])
  })

  it('that failed can be sent again after it was mended', () => {
    const world = createWorld()
    world.target.behave('1.0.0-r', 'never-ready')
    world.deploy('1.0.0')
    world.passUntil(isOver)
    world.target.behave('1.0.0-r', 'ready')
    world.deploy('1.0.0')
    world.passUntil(isOver, 60_000)
    expect(world.outcomes()).toEqual(['failed', 'promoted'])
  })

  it('that cannot take its address fails with the reason', () => {
    const world = createWorld()
    world.router.refuse(problem('LISTEN_FAILED', { message: '127.0.0.1:8080 is in use', remedy: 'Free it.' }))
    world.deploy('1.0.0')
    world.passUntil(isOver, 60_000)
    expect(world.outcomes()).toEqual(['failed'])
    expect(world.state().rollout?.problem?.code).toBe('LISTEN_FAILED')
  })

  it('that is refused by the target ends at once, not at its deadline', () => {
    const world = createWorld()
    world.target.behave('1.0.0-r', 'refused')
    world.deploy('1.0.0')
    world.pass(1000)
    expect(world.outcomes()).toEqual(['failed'])
  })
})

describe('a canary', () => {
  it('gets exactly 5, 25, 50, 100 percent in order, each for its time (S10)', () => {
    const world = createWorld()
    world.withStable()
    world.deploy(NEW)
    world.passUntil(isOver)
    const weights = world.router.written().map((one) => one[`${NEW}-r`] ?? 0)
    expect(weights.filter((weight, index) => weight !== weights[index - 1])).toEqual([0, 50, 250, 500, 1000])
    const { rollout } = world.state()
    const observed = rollout?.plan.steps.flatMap(({ step }, index) =>
      step.kind === 'observe' ? [rollout.steps[index]] : [],
    )
    for (const step of observed ?? [])
      expect((step?.endedAt ?? 0) - (step?.startedAt ?? 0)).toBeGreaterThanOrEqual(10_000)
    expect(world.outcomes()).toEqual(['promoted', 'promoted'])
    world.pass(10_000)
    expect(instancesOf(world, '1.0.0')).toEqual([])
    expect(instancesOf(world, NEW)).toHaveLength(2)
  })

  it('uses a custom list of weights as it stands (S14)', () => {
    const strategy = { steps: [stage(10), stage(20), stage(100), stage(800), stage(1000)] }
    const world = createWorld({ settings: simulatedSettings({ strategy }), requestsPerSecond: 500 })
    world.withStable()
    world.deploy(NEW)
    world.passUntil(isOver)
    expect(decidedWeights(world)).toEqual([0, 10, 20, 100, 800, 1000])
  })

  it('is promoted when its weights do not divide the whole (S13)', () => {
    const strategy = { steps: [stage(300), stage(700), stage(1000)] }
    const world = createWorld({ settings: simulatedSettings({ strategy }) })
    world.withStable()
    world.deploy(NEW)
    world.passUntil(isOver)
    expect(decidedWeights(world)).toEqual([0, 300, 700, 1000])
    expect(world.state().stable?.version).toBe(NEW)
  })

  it('ends a timed pause at the original time when the controller restarts in it (S11)', () => {
    const world = withCandidateAt(50)
    const startedAt = world.state().rollout?.steps[world.state().rollout?.stepIndex ?? 0]?.startedAt ?? 0
    world.pass(4000)
    world.restartController(3000)
    world.passUntil(() => world.weightOf(NEW) === 250)
    expect(world.now() - startedAt).toBeGreaterThanOrEqual(10_000)
    expect(world.now() - startedAt).toBeLessThanOrEqual(12_000)
  })

  it('stays in an endless pause past every deadline until somebody promotes it (S12)', () => {
    const settings = simulatedSettings({ strategy: { steps: [stage(50, null), stage(1000)] } })
    const world = withCandidateAt(50, createWorld({ settings }))
    world.pass(1_200_000)
    expect(world.weightOf(NEW)).toBe(50)
    expect(waitingOn(world)?.kind).toBe('person')
    world.byHand('promote')
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('waits for its third instance where 2 of 3 are ready, unless 66 percent are enough (S20)', () => {
    for (const [readyPercent, weight] of [
      [100, 0],
      [66, 50],
    ] as const) {
      const world = createWorld({ settings: simulatedSettings({ replicas: 3, strategy: { readyPercent } }) })
      world.withStable()
      world.deploy(NEW)
      world.pass(500)
      world.target.crash(`${NEW}-r`, 1)
      world.pass(6000)
      expect(world.weightOf(NEW)).toBe(weight)
    }
  })

  it('keeps the old set and waits with a reason when the last weight is not confirmed (S25)', () => {
    const world = withCandidateAt(500)
    world.router.refuse(problem('ROUTER_REFUSES', { message: 'no', remedy: 'none', retryable: true }))
    world.pass(120_000)
    expect(waitingOn(world)?.kind).toBe('router')
    expect(instancesOf(world, '1.0.0')).toHaveLength(2)
    world.router.refuse(null)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('that does not become ready is rolled back again and again, stable untouched (S106)', () => {
    const world = createWorld({ settings: simulatedSettings({ rollback: { breaker: null } }) })
    world.withStable()
    for (const version of ['1.1.0', '1.1.1', '1.1.2', '1.1.3']) {
      world.target.behave(`${version}-r`, 'never-ready')
      world.deploy(version)
      world.passUntil(isOver)
    }
    expect(world.outcomes()).toEqual(['promoted', 'rolled_back', 'rolled_back', 'rolled_back', 'rolled_back'])
    expect(world.weightOf('1.0.0')).toBe(1000)
  })

  it('whose instances flap up and down meets its deadline all the same (S107)', () => {
    const world = createWorld()
    world.withStable()
    world.deploy(NEW)
    world.pass(500)
    for (let turn = 0; turn < 20 && !isOver(world.state()); turn += 1) {
      world.target.crash(`${NEW}-r`, 1)
      world.pass(1500)
      world.target.restart(`${NEW}-r`)
      world.pass(500)
    }
    expect(world.outcomes().at(-1)).toBe('rolled_back')
  })

  it('that loses its instances before its first traffic does not wait for ever (S106)', () => {
    const world = createWorld()
    world.withStable()
    world.setReachable('router', true)
    world.deploy(NEW)
    world.pass(1500)
    world.byHand('pause')
    world.pass(3000)
    world.target.crash(`${NEW}-r`)
    world.pass(1000)
    world.byHand('resume')
    world.passUntil(isOver, 120_000)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
  })
})

describe('a candidate that runs out of memory', () => {
  it('is rolled back at the first kill, though one of two instances alone would not be critical', () => {
    const world = createWorld()
    world.withStable()
    world.deploy(NEW)
    world.passUntil(({ traffic }) => (traffic.weights[`${NEW}-r`] ?? 0) > 0)
    world.target.starve(`${NEW}-r`)
    world.passUntil(isOver, 5000)
    expect(world.state().rollout?.reason.code).toBe('OUT_OF_MEMORY')
  })
})

describe('an abort', () => {
  it('at every step brings everything back to stable and reaches exactly one outcome (S79)', () => {
    const whole = createWorld()
    whole.withStable()
    whole.deploy(NEW)
    whole.passUntil(isOver)
    const promotedAt = whole.state().rollout?.plan.steps.findIndex(({ step }) => step.kind === 'promote') ?? 0
    for (let index = 0; index < promotedAt; index += 1) {
      const world = createWorld()
      world.withStable()
      world.deploy(NEW)
      world.passUntil(({ rollout }) => rollout?.stepIndex === index)
      world.byHand('abort')
      world.passUntil(isOver, 20_000)
      expect(world.outcomes()).toEqual(['promoted', 'aborted'])
      expect(world.weightOf('1.0.0')).toBe(1000)
      world.pass(30_000)
      expect(instancesOf(world, NEW)).toEqual([])
    }
  })

  it('with hold "keep" leaves the candidate for inspection without traffic (S80)', () => {
    const world = withCandidateAt(
      250,
      createWorld({ settings: simulatedSettings({ strategy: { holdMs: null } }) }),
    )
    world.byHand('abort')
    world.pass(600_000)
    expect(instancesOf(world, NEW)).toHaveLength(2)
    expect(world.weightOf(NEW)).toBe(0)
  })

  it('when nothing is in progress changes nothing (S82)', () => {
    const world = createWorld()
    world.withStable()
    const before = world.state()
    expect(world.byHand('abort')).toMatchObject({ kind: 'failed', problem: { code: 'NOTHING_IN_PROGRESS' } })
    expect(world.state()).toBe(before)
  })

  it('completes when all instances of the candidate are dead (S83) and when one of stable is not ready (S84)', () => {
    const world = withCandidateAt(250)
    world.target.crash(`${NEW}-r`)
    world.target.crash('1.0.0-r', 1)
    world.byHand('abort')
    world.passUntil(isOver, 20_000)
    expect(world.outcomes().at(-1)).toBe('aborted')
  })

  it('waits for stable when only the candidate can serve, and says so (S81)', () => {
    const world = withCandidateAt(250)
    world.target.unready('1.0.0-r')
    world.pass(500)
    world.byHand('abort')
    world.pass(5000)
    expect(world.weightOf(NEW)).toBe(1000)
    expect(waitingOn(world)).toMatchObject({ kind: 'instances', who: '1.0.0' })
    world.target.ready('1.0.0-r')
    world.passUntil(isOver, 20_000)
    expect(world.weightOf('1.0.0')).toBe(1000)
  })

  it('is followed by a retry with fresh instances, fresh counts and no memory of old crashes (S86)', () => {
    const world = withCandidateAt(50)
    const first = instancesOf(world, NEW).map(({ id }) => id)
    for (let turn = 0; turn < 4; turn += 1) {
      world.target.crash(`${NEW}-r`, 1)
      world.target.restart(`${NEW}-r`)
    }
    world.byHand('abort')
    world.passUntil(isOver, 20_000)
    world.deploy(NEW)
    world.passUntil(() => world.weightOf(NEW) === 50)
    const { rollout } = world.state()
    expect(rollout?.crashesAtStart).toBe(0)
    expect(rollout?.total.candidate.requests).toBeLessThan(20)
    expect(instancesOf(world, NEW).filter(({ id }) => first.includes(id))).toEqual([])
    world.passUntil(isOver)
    expect(world.outcomes()).toEqual(['promoted', 'aborted', 'promoted'])
  })
})
