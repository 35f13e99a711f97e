import { describe, expect, it } from 'vitest'
import { serviceView } from '../../core/rollout/view/service-view.ts'
import { problem } from '../../core/shared/problem.ts'
import { later, NEW, stage, waitingOn, withCandidateAt } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver } from './world.ts'

const OLD = '1.0.0'
const FOREIGN = { [`${OLD}-r`]: 100, [`${NEW}-r`]: 900 }
const holding = (): World => createWorld({ settings: simulatedSettings({ drift: 'hold' }) })
const viewOf = (world: World) =>
  serviceView(world.state(), { revision: 1, now: world.now(), timeline: [], inFlight: {} })
const drifts = (world: World) => world.eventsOf('routes-drifted')

describe('foreign weights with drift "hold"', () => {
  it('are reported and left alone, decided and observed side by side, until a person resumes (S126)', () => {
    const world = withCandidateAt(50, holding())
    world.router.edit(FOREIGN)
    const writes = world.router.written().length
    world.pass(60_000)
    expect(drifts(world)).toMatchObject([{ cause: 'edited', held: true, observed: FOREIGN }])
    expect(world.router.written()).toHaveLength(writes)
    expect(world.weightOf(NEW)).toBe(900)
    const view = viewOf(world)
    expect(view.rollout).toMatchObject({
      state: 'paused',
      weight: { desiredPermille: 50, observedPermille: 900 },
      waitingOn: { kind: 'person' },
    })
    expect(view.rollout?.waitingOn?.message).toContain('1.0.0 10%, 1.1.0 90% instead of 1.0.0 95%, 1.1.0 5%')
    expect(view.drift?.weights).toEqual([
      { release: `${OLD}-r`, version: OLD, desiredPermille: 950, observedPermille: 100 },
      { release: `${NEW}-r`, version: NEW, desiredPermille: 50, observedPermille: 900 },
    ])
    expect(world.byHand('promote')).toMatchObject({ kind: 'failed', problem: { code: 'NOT_ALLOWED_NOW' } })
    world.byHand('resume')
    world.pass(500)
    expect(world.weightOf(NEW)).toBe(50)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it.each(['abort', 'rollback'] as const)('end with %s, which writes at once', (kind) => {
    const world = withCandidateAt(50, holding())
    world.router.edit(FOREIGN)
    world.pass(1000)
    world.byHand(kind)
    expect(world.weightOf(OLD)).toBe(1000)
    world.passUntil(isOver, 5000)
    expect(viewOf(world).drift).toBeNull()
  })

  it('do not keep a bad candidate from being taken back', () => {
    const world = withCandidateAt(50, holding())
    world.router.edit(FOREIGN)
    world.pass(1000)
    world.router.quality(`${NEW}-r`, { errorShare: 0.5 })
    world.passUntil(isOver, 30_000)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.weightOf(OLD)).toBe(1000)
  })

  it('stay as they are over a change of owner, also those that were made while nobody looked', () => {
    const world = withCandidateAt(50, holding())
    world.router.edit(FOREIGN)
    world.restartController(5000)
    world.pass(5000)
    expect(drifts(world)).toMatchObject([{ held: true }])
    world.restartController()
    world.pass(5000)
    expect(world.weightOf(NEW)).toBe(900)
    expect(drifts(world)).toHaveLength(1)
    world.byHand('resume')
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('that change once more are shown as they are now', () => {
    const world = withCandidateAt(50, holding())
    world.router.edit(FOREIGN)
    world.pass(1000)
    world.router.edit({ [`${OLD}-r`]: 500, [`${NEW}-r`]: 500 })
    world.pass(1000)
    expect(viewOf(world).rollout?.weight.observedPermille).toBe(500)
    expect(drifts(world)).toHaveLength(2)
  })

  it('are left alone without a rollout, too; a router that forgot everything is not', () => {
    const world = holding()
    world.withStable()
    world.deploy(NEW)
    world.passUntil(isOver)
    world.pass(5000)
    world.router.edit({})
    world.pass(5000)
    expect(world.weightOf(NEW)).toBe(0)
    expect(viewOf(world).actions).toContainEqual({ name: 'resume', allowed: true, whyNot: null })
    world.byHand('resume')
    world.pass(1000)
    expect(world.weightOf(NEW)).toBe(1000)
    world.router.edit({})
    world.pass(1000)
    world.router.forget()
    world.pass(1000)
    expect(world.weightOf(NEW)).toBe(1000)
    expect(viewOf(world).drift).toBeNull()
  })
})

describe('a tool that writes its own weights each minute', () => {
  const fight = (world: World, times: number, everyMs = 60_000): void => {
    for (let time = 0; time < times; time += 1) {
      world.router.edit({ [`${OLD}-r`]: 1000, [`${NEW}-r`]: 0 })
      later(world, everyMs)
    }
  }
  const slow = (): World =>
    createWorld({
      settings: simulatedSettings({
        strategy: { steps: [stage(50, null)] },
      }),
    })

  it('is found out the third time, reported once, and not answered any more (S127)', () => {
    const world = withCandidateAt(50, slow())
    fight(world, 6)
    expect(drifts(world).map(({ held, times }) => [held, times])).toEqual([
      [false, 1],
      [false, 2],
      [true, 3],
    ])
    const writes = world.router.written().length
    fight(world, 10)
    expect(world.router.written()).toHaveLength(writes)
    expect(waitingOn(world)?.kind).toBe('person')
    world.byHand('resume')
    world.pass(1000)
    expect(world.weightOf(NEW)).toBe(50)
  })

  it('is no fight when it comes back hours later', () => {
    const world = withCandidateAt(50, slow())
    fight(world, 6, 3_600_000)
    expect(drifts(world).some(({ held }) => held)).toBe(false)
    expect(world.weightOf(NEW)).toBe(50)
  })
})

describe('time that does not count', () => {
  const provisioning = (world: World): void => {
    world.withStable()
    world.target.behave(`${NEW}-r`, 'never-ready')
    world.deploy(NEW)
    world.pass(10_000)
  }

  it('is the time of a pause: the deadline goes on afterwards where it stood (S12)', () => {
    const world = createWorld()
    provisioning(world)
    world.byHand('pause')
    later(world, 3_600_000)
    world.byHand('resume')
    world.pass(5000)
    expect(isOver(world.state())).toBe(false)
    world.pass(10_000)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
  })

  it('is the time of a freeze, and a pause within it is not counted twice', () => {
    const world = createWorld()
    provisioning(world)
    world.setFreeze({})
    world.pass(60_000)
    world.byHand('pause')
    world.pass(60_000)
    world.setFreeze(null)
    world.pass(60_000)
    world.byHand('resume')
    expect(world.state().rollout?.heldMs).toBeGreaterThanOrEqual(179_000)
    expect(world.state().rollout?.heldMs).toBeLessThanOrEqual(181_000)
    world.pass(15_000)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
  })
})

describe('after an hour without a controller', () => {
  it('the numbers are looked at first, and one step is done at a time (S117)', () => {
    const world = withCandidateAt(50)
    world.pass(4000)
    world.restartController(3_600_000)
    const before = world.events().length
    world.pass(1500)
    const done = world
      .events()
      .slice(before)
      .filter(({ kind }) => kind === 'step-finished' || kind === 'metrics-observed')
    expect(done[0]?.kind).toBe('metrics-observed')
    expect(world.weightOf(NEW)).toBeLessThanOrEqual(250)
    world.pass(8000)
    expect(world.weightOf(NEW)).toBe(250)
  })
})

describe('a clock that jumps', () => {
  it('forward ends the present step at most, and never fails a candidate that is ready (S118)', () => {
    const world = withCandidateAt(50)
    world.jumpClock(3_600_000)
    world.pass(1500)
    expect(world.weightOf(NEW)).toBeLessThanOrEqual(250)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('back during a pause makes no time that counts as held (S118)', () => {
    const world = withCandidateAt(50)
    world.byHand('pause')
    world.jumpClock(-3_600_000)
    world.byHand('resume')
    expect(world.state().rollout?.heldMs).toBe(0)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })
})

describe('a router that refuses a weight', () => {
  it('keeps the step where it is, with its reason in view, and goes on when it takes it (S124)', () => {
    const world = withCandidateAt(50)
    world.router.refuse(
      problem('ROUTER_FULL', { message: 'no room for routes', remedy: 'Wait.', retryable: true }),
    )
    world.pass(120_000)
    expect(world.weightOf(NEW)).toBe(50)
    expect(waitingOn(world)?.kind).toBe('router')
    expect(viewOf(world).warnings).toContain('no room for routes')
    world.router.refuse(null)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })
})

describe('very small and very large numbers', () => {
  it('a share of one per mille is one per mille, and a thousand instances are counted (S15)', () => {
    const settings = simulatedSettings({
      replicas: 1000,
      strategy: { steps: [1, 999, 1000].map((permille) => stage(permille)), readyPercent: 99.9 },
      analysis: { minRequests: 1 },
    })
    const world = withCandidateAt(1, createWorld({ settings, requestsPerSecond: 1000 }))
    expect(world.router.weights()).toEqual({ [`${OLD}-r`]: 999, [`${NEW}-r`]: 1 })
    world.passUntil(() => world.weightOf(NEW) === 999)
    expect(viewOf(world).sets.map(({ ready }) => ready)).toEqual([1000, 1000])
  })
})
