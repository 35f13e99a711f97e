import { describe, expect, it } from 'vitest'
import { announced, BAD, failOnce, promote, viewOf, worldWith } from './failures.test.kit.ts'
import { NEW, withCandidateAt } from './scene.ts'
import { createWorld, isOver, type World } from './world.ts'

describe('the circuit breaker', () => {
  /** Three failures of three versions. */
  function withOpenBreaker(): World {
    const world = createWorld()
    world.withStable()
    for (const version of ['1.1.0', '1.1.1', '1.1.2']) failOnce(world, version)
    return world
  }

  it('opens at the third automatic rollback within a day, tells people once, and refuses deploys', () => {
    const world = withOpenBreaker()
    expect(world.state().breaker?.rollbacks.map(({ version }) => version)).toEqual([
      '1.1.0',
      '1.1.1',
      '1.1.2',
    ])
    expect(announced(world, 'breaker_opened')).toMatchObject([{ severity: 'critical' }])
    for (const order of ['deploy', 'retry'] as const) {
      const refused = world.deploy('1.2.0', { order })
      expect(refused).toMatchObject({ kind: 'failed', problem: { code: 'BREAKER_OPEN' } })
      if (refused.kind === 'failed') expect(refused.problem.message).toMatch(/1\.1\.0 \d+\w+ ago .*1\.1\.2/)
    }
    const view = viewOf(world)
    expect(view.warnings.join()).toContain('sluice breaker close')
    expect(view.actions.find(({ name }) => name === 'deploy')?.allowed).toBe(false)
  })

  it('lets go back and abort while it is open, and closes by a word, to count anew', () => {
    const world = createWorld()
    world.withStable()
    promote(world, '1.0.1')
    for (const version of ['1.1.0', '1.1.1', '1.1.2']) failOnce(world, version)
    world.deploy('1.0.0', { kind: 'rollback' })
    world.passUntil((state) => isOver(state) && state.stable?.version === '1.0.0')
    world.lift('close-breaker')
    expect(world.eventsOf('breaker-closed')[0]?.reason.message).toContain('closed by ada: looked into')
    expect(world.lift('close-breaker')).toMatchObject({ problem: { code: 'BREAKER_NOT_OPEN' } })
    failOnce(world, '1.1.3')
    expect(world.state().breaker).toBeNull()
    promote(world, '1.2.0')
  })

  it('drops a release that waits for its turn when it opens', () => {
    const world = worldWith({ rollback: { breaker: { count: 1, withinMs: 60_000 } } })
    withCandidateAt(250, world)
    world.router.quality(`${NEW}-r`, BAD)
    world.deploy('1.2.0', { inMs: 120_000 })
    world.passUntil(isOver)
    world.pass(1000)
    expect(world.eventsOf('queue-dropped').at(-1)?.reason.code).toBe('BREAKER_OPEN')
  })

  it('stays closed when the rollbacks are further apart than its time, or when it is off', () => {
    const apart = worldWith({ rollback: { breaker: { count: 2, withinMs: 60_000 } } })
    apart.withStable()
    failOnce(apart, '1.1.0')
    apart.pass(120_000)
    failOnce(apart, '1.1.1')
    expect(apart.state().breaker).toBeNull()

    const off = worldWith({ rollback: { breaker: null } })
    off.withStable()
    for (const version of ['1.1.0', '1.1.1', '1.1.2', '1.1.3']) failOnce(off, version)
    expect(off.state().breaker).toBeNull()
  })
})
