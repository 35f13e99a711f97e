import { describe, expect, it } from 'vitest'
import { serviceView } from '../../core/rollout/view/service-view.ts'
import { later, NEW, withCandidateAt } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver } from './world.ts'

const HOUR_MS = 3_600_000
const viewOf = (world: World) =>
  serviceView(world.state(), { revision: 1, now: world.now(), timeline: [], inFlight: {} })
const served = (world = createWorld()): World => {
  world.withStable()
  return world
}
const begun = (world: World): string[] =>
  world.eventsOf('rollout-started').map(({ rollout }) => rollout.plan.to.version)

describe('a release that is scheduled', () => {
  it('waits for its time, says so, and begins then, also after a restart', () => {
    const world = served()
    const at = world.now() + 2 * HOUR_MS
    world.deploy(NEW, { inMs: 2 * HOUR_MS })
    later(world, HOUR_MS)
    world.restartController()
    expect(viewOf(world).queued).toMatchObject({
      version: NEW,
      notBefore: at,
      waitingOn: { kind: 'schedule', until: at },
    })
    later(world, HOUR_MS - 1000)
    expect(begun(world)).toEqual(['1.0.0'])
    world.pass(1000)
    expect(begun(world)).toEqual(['1.0.0', NEW])
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('gives way to a newer one, and its own outcome says so', () => {
    const world = served()
    world.deploy(NEW, { inMs: HOUR_MS })
    world.deploy('1.2.0')
    expect(world.eventsOf('queue-dropped')).toMatchObject([{ reason: { code: 'SUPERSEDED' } }])
    later(world, 2 * HOUR_MS)
    expect(begun(world)).toEqual(['1.0.0', '1.2.0'])
  })

  it('is cancelled by abort, by a rollback, and by a deploy of what is stable', () => {
    for (const cancel of [
      (world: World) => world.byHand('abort'),
      (world: World) => world.deploy('1.0.0'),
      (world: World) => world.deploy('0.9.0', { kind: 'rollback', now: true }),
    ]) {
      const world = served()
      world.deploy(NEW, { inMs: HOUR_MS })
      expect(cancel(world).kind).toBe('ok')
      later(world, 2 * HOUR_MS)
      expect(world.eventsOf('queue-dropped')).toHaveLength(1)
      expect(begun(world)).not.toContain(NEW)
    }
  })

  it('begins once, however the clock jumps back (S118)', () => {
    const world = served()
    world.deploy(NEW, { inMs: HOUR_MS })
    later(world, HOUR_MS - 5000)
    world.jumpClock(-HOUR_MS)
    world.pass(10_000)
    expect(begun(world)).toEqual(['1.0.0'])
    later(world, HOUR_MS)
    world.jumpClock(-HOUR_MS)
    world.passUntil(isOver, 2 * HOUR_MS)
    expect(begun(world)).toEqual(['1.0.0', NEW])
  })

  it('leaves a rollout in its steps alone until its time has come, and takes its place then (S95)', () => {
    const steps = [{ weightPermille: 50, pauseMs: null, criteria: {} }]
    const world = withCandidateAt(50, createWorld({ settings: simulatedSettings({ strategy: { steps } }) }))
    world.deploy('1.2.0', { inMs: 60_000 })
    world.pass(50_000)
    expect(world.weightOf(NEW)).toBe(50)
    world.passUntil(() => world.weightOf('1.2.0') === 50, 60_000)
    expect(world.outcomes()).toEqual(['promoted', 'superseded'])
  })
})

describe('outside of the windows', () => {
  // The world begins on Tuesday, 14 November 2023, 22:13:20 UTC.
  const windows = [{ days: ['wed' as const], fromMinute: 8 * 60, toMinute: 10 * 60, zone: 'Europe/Berlin' }]
  const opening = Date.parse('2023-11-15T07:00:00Z')
  const closed = (): World => {
    const world = served()
    world.deploy(NEW, { settings: simulatedSettings({ windows }) })
    return world
  }

  it('a release waits for the next one, and a rollout that began goes on when it closes', () => {
    const world = closed()
    expect(viewOf(world).queued?.waitingOn).toMatchObject({ kind: 'window', until: opening })
    later(world, opening - world.now() - 1000)
    expect(begun(world)).toEqual(['1.0.0'])
    world.pass(2000)
    expect(begun(world)).toEqual(['1.0.0', NEW])
    world.byHand('pause')
    later(world, 3 * HOUR_MS)
    world.byHand('resume')
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('a release that must not wait is refused, with the next opening', () => {
    const world = served()
    const refused = world.deploy(NEW, { wait: false, settings: simulatedSettings({ windows }) })
    expect(refused).toMatchObject({ kind: 'failed', problem: { code: 'OUTSIDE_WINDOW' } })
    expect(refused.kind === 'failed' && refused.problem.message).toContain('2023-11-15 07:00 UTC')
    expect(world.state().queued).toBeNull()
  })

  it('the way back is always open', () => {
    const settings = simulatedSettings({ windows })
    const world = closed()
    world.deploy('0.9.0', { kind: 'rollback', now: true, settings })
    world.passUntil((state) => isOver(state) && state.stable?.version === '0.9.0')
    expect(begun(world)).toEqual(['1.0.0', '0.9.0'])
  })
})

describe('a freeze', () => {
  it('that begins mid-run holds the weight that is reached, and the rollout goes on after it (S77)', () => {
    const world = withCandidateAt(250)
    world.setFreeze({})
    later(world, HOUR_MS)
    expect(world.weightOf(NEW)).toBe(250)
    expect(viewOf(world)).toMatchObject({
      freeze: { who: 'bob' },
      rollout: { state: 'waiting', waitingOn: { kind: 'freeze', who: 'bob', until: null } },
    })
    expect(world.byHand('promote')).toMatchObject({ kind: 'failed', problem: { code: 'NOT_ALLOWED_NOW' } })
    world.setFreeze(null)
    world.passUntil(isOver)
    expect(world.eventsOf('freeze-ended')).toMatchObject([{ reason: { actor: { name: 'bob' } } }])
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('ends the promotion of a watched candidate no more than its steps', () => {
    const world = withCandidateAt(1000)
    world.setFreeze({})
    later(world, HOUR_MS)
    expect(world.state().stable?.version).toBe('1.0.0')
    world.setFreeze(null)
    world.passUntil(isOver)
    expect(world.state().stable?.version).toBe(NEW)
  })

  it('with onFreeze "return" takes all traffic back to stable (S77)', () => {
    const world = withCandidateAt(250, createWorld({ settings: simulatedSettings({ onFreeze: 'return' }) }))
    world.setFreeze({})
    world.passUntil(isOver, 10_000)
    expect(world.outcomes().at(-1)).toBe('aborted')
    expect(world.state().rollout?.reason.code).toBe('FROZEN')
    expect(world.weightOf('1.0.0')).toBe(1000)
  })

  it('never stands in the way back: critical triggers, abort and rollback work', () => {
    for (const back of [
      (world: World) => world.byHand('abort'),
      (world: World) => world.byHand('rollback'),
      (world: World) => world.router.quality(`${NEW}-r`, { errorShare: 0.5 }),
    ]) {
      const world = withCandidateAt(250)
      world.setFreeze({})
      world.pass(5000)
      back(world)
      world.passUntil(isOver, 60_000)
      expect(world.weightOf('1.0.0')).toBe(1000)
    }
    const world = served()
    world.setFreeze({})
    world.pass(1000)
    world.deploy('0.9.0', { kind: 'rollback', now: true })
    world.passUntil((state) => isOver(state) && state.stable?.version === '0.9.0')
  })

  it('lets a new release wait, and refuses one that must not', () => {
    const world = served()
    world.setFreeze({ until: world.now() + HOUR_MS })
    world.pass(1000)
    expect(world.deploy(NEW, { wait: false })).toMatchObject({
      kind: 'failed',
      problem: { code: 'FROZEN', retryable: true },
    })
    world.deploy(NEW)
    expect(viewOf(world).queued?.waitingOn).toMatchObject({ kind: 'freeze', who: 'bob' })
    later(world, HOUR_MS)
    expect(begun(world)).toEqual(['1.0.0', NEW])
  })

  it('ends at its time, also when nobody can be asked about it', () => {
    const world = withCandidateAt(250)
    world.setFreeze({ until: world.now() + 60_000 })
    world.pass(1000)
    world.setReachable('freezes', false)
    world.pass(30_000)
    expect(viewOf(world).freeze).not.toBeNull()
    expect(viewOf(world).warnings).not.toEqual([])
    world.passUntil(isOver, 200_000)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('is not brought back by a look that is older than its end', () => {
    const world = served()
    world.setFreeze({})
    world.pass(500)
    const late = world.observation()
    world.setFreeze(null)
    world.pass(500)
    world.send({ kind: 'observed', observation: late })
    expect(world.state().freeze).toBeNull()
    expect(world.eventsOf('freeze-began')).toHaveLength(1)
  })

  it('survives a restart of the controller', () => {
    const world = withCandidateAt(250)
    world.setFreeze({})
    world.pass(1000)
    world.restartController(HOUR_MS)
    world.pass(60_000)
    expect(world.weightOf(NEW)).toBe(250)
  })
})
