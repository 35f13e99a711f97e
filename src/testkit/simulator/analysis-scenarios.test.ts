import { describe, expect, it } from 'vitest'
import { decide } from '../../core/rollout/decide.ts'
import { ok } from '../../core/shared/result.ts'
import { decidedWeights, NEW, stage, waitingOn, withCandidateAt } from './scene.ts'
import { type SettingsChange, simulatedSettings } from './settings.ts'
import { createWorld, isOver, stepKind, type World } from './world.ts'

describe('analysis', () => {
  it('rolls back a candidate that fails, at 5 percent of traffic, and says how long its traffic took to go', () => {
    const world = createWorld()
    world.withStable()
    world.router.quality(`${NEW}-r`, { errorShare: 0.3 })
    world.deploy(NEW)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(Math.max(...decidedWeights(world))).toBe(50)
    expect(world.state().rollout?.trafficOffMs).toBeLessThanOrEqual(1000)
  })

  it('takes the weight away in the very decision that saw the candidate die (S111)', () => {
    const world = withCandidateAt(500)
    world.target.crash(`${NEW}-r`)
    const decided = world.look()
    const routes =
      decided.kind === 'ok' ? decided.value.find(({ kind }) => kind === 'routes-decided') : undefined
    expect(routes).toMatchObject({
      routes: expect.arrayContaining([expect.objectContaining({ release: '1.0.0-r', weightPermille: 1000 })]),
    })
  })

  it('does not blame a candidate for instances that ended while nobody watched, until they end again', () => {
    const world = withCandidateAt(500)
    world.target.crash(`${NEW}-r`, 2, 'unknown')
    world.target.crash('1.0.0-r', 2, 'unknown')
    world.pass(2000)
    expect(world.eventsOf('return-started')).toEqual([])
    world.target.restart(`${NEW}-r`)
    world.target.restart('1.0.0-r')
    world.passUntil(() => world.weightOf(NEW) === 500 && stepKind(world.state()) === 'observe')
    world.pass(1000)
    world.target.crash(`${NEW}-r`)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
  })

  it('pauses once for a warning and does not loop after somebody let it pass (S50)', () => {
    const settings = simulatedSettings({ analysis: { compare: { errors: null, latency: null } } })
    const world = createWorld({ settings, requestsPerSecond: 2000 })
    world.withStable()
    world.router.quality(`${NEW}-r`, { errorShare: 0.03 })
    world.deploy(NEW)
    world.passUntil(({ rollout }) => rollout?.phase.kind === 'running' && rollout.phase.paused !== null)
    world.byHand('resume')
    world.passUntil(isOver)
    expect(world.eventsOf('rollout-paused')).toHaveLength(1)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('lets a critical check win over a step that would finish in the same look (S52)', () => {
    const settings = simulatedSettings({ analysis: { intervalMs: 10_000 } })
    const world = withCandidateAt(50, createWorld({ settings, requestsPerSecond: 2000 }))
    world.router.quality(`${NEW}-r`, { errorShare: 0.5 })
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(Math.max(...decidedWeights(world))).toBe(50)
  })

  it.each(['no-data', 'failure'] as const)(
    'never goes on with %s, and goes on when numbers are back (S53, S55)',
    (answer) => {
      const world = withCandidateAt(50)
      world.pass(2000)
      world.setMetrics(answer)
      world.pass(120_000)
      expect(world.weightOf(NEW)).toBe(50)
      expect(waitingOn(world)?.kind).toBe('data')
      world.setMetrics('samples')
      world.passUntil(isOver)
      expect(world.outcomes().at(-1)).toBe('promoted')
    },
  )

  it.each(['no-data', 'failure'] as const)(
    'does not make a release stable with %s in the watch (S51)',
    (answer) => {
      const world = withCandidateAt(1000)
      world.setMetrics(answer)
      world.pass(120_000)
      expect(world.state().stable?.version).toBe('1.0.0')
      expect(waitingOn(world)?.kind).toBe('data')
    },
  )

  it('holds a stage in which nobody asked the candidate (S66)', () => {
    const world = withCandidateAt(50, createWorld({ requestsPerSecond: 0 }))
    world.pass(120_000)
    expect(world.weightOf(NEW)).toBe(50)
    expect(waitingOn(world)).toMatchObject({ kind: 'data', who: 'users' })
  })

  it('measures first after an hour without a controller and does not jump several steps (S117)', () => {
    const world = withCandidateAt(50)
    world.router.quality(`${NEW}-r`, { errorShare: 0.4 })
    world.restartController(3_600_000)
    expect(decidedWeights(world).at(-1)).toBe(50)
    world.pass(5000)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(Math.max(...decidedWeights(world))).toBe(50)
  })

  it('does not call a candidate dead only because nobody looked while it started (S117)', () => {
    const world = createWorld()
    world.withStable()
    world.deploy(NEW)
    world.restartController(3_600_000)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('does not hang in a stage when the clock is set back, nor end it early (S118)', () => {
    const world = withCandidateAt(50)
    world.pass(3000)
    world.jumpClock(-3_600_000)
    const at = world.now()
    world.passUntil(() => world.weightOf(NEW) === 250, 60_000)
    expect(world.now() - at).toBeGreaterThanOrEqual(7000)
    expect(world.now() - at).toBeLessThanOrEqual(15_000)
  })

  it('does not begin a stage anew for a command through a controller whose clock is behind (S118)', () => {
    const state = withCandidateAt(50).state()
    const behind = (state.rollout?.startedAt ?? 0) - 600_000
    const word = { kind: 'freeze-seen' as const, seen: { freeze: null, asOf: 0, by: 'nobody' } }
    expect(decide(state, word, behind)).toEqual(ok([]))
  })

  describe('a stage that may end early', () => {
    const STAGE_MS = 300_000
    const EARLIEST_MS = 20_000
    const early = (analysis: SettingsChange['analysis'] = {}) =>
      createWorld({
        settings: simulatedSettings({
          strategy: { steps: [stage(500, STAGE_MS), stage(1000)], earliestMs: EARLIEST_MS },
          analysis,
        }),
      })
    const lasted = (world: World): number => {
      const began = world.now()
      world.passUntil(() => world.weightOf(NEW) !== 500, STAGE_MS + 60_000)
      return world.now() - began
    }

    it('does so once what was counted in it rules out that the candidate is worse, and says so', () => {
      const world = withCandidateAt(500, early())
      const took = lasted(world)
      expect(took).toBeGreaterThanOrEqual(EARLIEST_MS - 1000)
      expect(took).toBeLessThan(STAGE_MS / 2)
      const reasons = world.eventsOf('step-finished').map(({ reason }) => reason.message)
      expect(reasons).toContainEqual(expect.stringMatching(/early, since that it is worse is ruled out$/))
      world.passUntil(isOver)
      expect(world.outcomes().at(-1)).toBe('promoted')
    })

    it('lasts its whole time for a candidate that may be a little worse', () => {
      const compare = { errors: { ratio: 1, points: 2 }, latency: null }
      const world = early({ compare, critical: {}, warning: {} })
      // Between what is tolerated, 2 points, and what is to be noticed, 2.5.
      world.router.quality(`${NEW}-r`, { errorShare: 0.022 })
      withCandidateAt(500, world)
      expect(lasted(world)).toBeGreaterThanOrEqual(STAGE_MS - 1000)
    })
  })
})
