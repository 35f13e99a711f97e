import { describe, expect, it } from 'vitest'
import { evidenceOf, recordedOf, replayOf, storedEvents } from './course.test.kit.ts'
import { NEW, stage, waitingOn, withCandidateAt } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import { createWorld, isOver, type World } from './world.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** No limit but 5% of errors, so that only the objective (99.9% over 30 days) can notice 2%. */
function promisingWorld({ requestsPerSecond = 200, stageMinutes = 12 } = {}): World {
  const settings = simulatedSettings({
    strategy: { steps: [stage(100, stageMinutes * MINUTE_MS), stage(1000)] },
    analysis: {
      intervalMs: 5000,
      compare: { errors: null, latency: null },
      critical: { errorRatePercent: 5 },
      warning: {},
      slo: { targetPercent: 99.9, windowMs: 30 * DAY_MS, slowerThanMs: null },
    },
  })
  return createWorld({ settings, requestsPerSecond })
}

describe('an objective', () => {
  it('rolls back a candidate that burns its error budget slowly, under every other limit', () => {
    const world = withCandidateAt(100, promisingWorld())
    world.router.quality(`${NEW}-r`, { errorShare: 0.03 })
    world.passUntil(isOver, 15 * MINUTE_MS)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    const { reason } = world.state().rollout ?? {}
    expect(reason).toMatchObject({ code: 'CHECK_CRITICAL', evidence: { check: 'error budget (critical)' } })
    expect(reason?.message).toContain('14.4x an error budget of 0.1%')
    const check = evidenceOf(world).checks.find(({ name }) => name === 'error budget (critical)')
    expect(check).toMatchObject({ verdict: 'worse', limitShare: expect.closeTo(0.0144, 9), about: 'errors' })
    expect(check?.atLeast.share).toBeGreaterThan(0.0144)
    expect(check?.logE).toBeGreaterThanOrEqual(check?.threshold ?? Number.POSITIVE_INFINITY)
    expect(replayOf(storedEvents(world), recordedOf(world)).isEqual).toBe(true)
  })

  it('pauses for a candidate that burns it six times as fast, and goes on after somebody let it pass', () => {
    const world = withCandidateAt(100, promisingWorld({ requestsPerSecond: 1000, stageMinutes: 31 }))
    world.router.quality(`${NEW}-r`, { errorShare: 0.01 })
    world.passUntil(
      ({ rollout }) => rollout?.phase.kind === 'running' && rollout.phase.paused !== null,
      35 * MINUTE_MS,
    )
    expect(world.state().rollout?.reason.evidence).toMatchObject({ check: 'error budget (warning)' })
    expect(waitingOn(world)?.kind).toBe('person')
    world.byHand('resume')
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('does not blame the candidate for an outage that stable shares', () => {
    const world = withCandidateAt(100, promisingWorld())
    for (const release of [`${NEW}-r`, '1.0.0-r']) world.router.quality(release, { errorShare: 0.03 })
    world.pass(8 * MINUTE_MS)
    for (const release of [`${NEW}-r`, '1.0.0-r']) world.router.quality(release, { errorShare: 0 })
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })
})
