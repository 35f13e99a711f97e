import { describe, expect, it } from 'vitest'
import { decidedWeights, NEW, stage, withCandidateAt } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import { createWorld, isOver, type World } from './world.ts'

/** A stage that may last half a minute and asks for less than 1% of errors; nothing else minds 2%. */
function demandingWorld(): World {
  const first = { ...stage(100), atMostMs: 30_000, criteria: { errorRatePercent: 1 } }
  const settings = simulatedSettings({
    strategy: { steps: [first, stage(1000)] },
    analysis: { compare: { errors: null, latency: null }, critical: { errorRatePercent: 10 }, warning: {} },
  })
  return createWorld({ settings, requestsPerSecond: 1000 })
}

const isPaused = ({ state }: World): boolean => {
  const phase = state().rollout?.phase
  return phase?.kind === 'running' && phase.paused !== null
}

describe('a stage that is not decided', () => {
  it('pauses after the time it may last, says what is missing, and does so once', () => {
    const world = withCandidateAt(100, demandingWorld())
    world.router.quality(`${NEW}-r`, { errorShare: 0.02 })
    world.pass(29_000)
    expect(isPaused(world)).toBe(false)
    world.passUntil(() => isPaused(world))
    expect(world.state().rollout?.reason).toMatchObject({
      code: 'STAGE_UNDECIDED',
      message: expect.stringContaining('error rate 2.0% does not meet < 1%'),
    })
    world.byHand('resume')
    world.pass(60_000)
    expect(isPaused(world)).toBe(false)
    expect(decidedWeights(world).at(-1)).toBe(100)
    expect(world.eventsOf('rollout-paused')).toHaveLength(1)
  })

  it('pauses without numbers, too, and goes on by itself when it is resumed and they are back', () => {
    const world = withCandidateAt(100, demandingWorld())
    world.setMetrics('failure')
    world.passUntil(() => isPaused(world))
    expect(world.state().rollout?.reason.message).toContain('not decided')
    world.setMetrics('samples')
    world.byHand('resume')
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('does not count the time of a pause by hand', () => {
    const world = withCandidateAt(100, demandingWorld())
    world.router.quality(`${NEW}-r`, { errorShare: 0.02 })
    world.byHand('pause')
    world.pass(120_000)
    world.byHand('resume')
    world.pass(20_000)
    expect(isPaused(world)).toBe(false)
  })
})
