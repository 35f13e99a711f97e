import { describe, expect, it } from 'vitest'
import { due } from '../../core/rollout/due.ts'
import { problem } from '../../core/shared/problem.ts'
import { instancesOf, NEW, withCandidateAt } from './scene.ts'
import type { SettingsChange } from './settings.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver } from './world.ts'

describe('a newer release', () => {
  it('during the steps takes the place of the candidate, whose traffic returns first (S95, S96)', () => {
    const world = withCandidateAt(500)
    world.deploy('1.2.0')
    world.passUntil(isOver)
    expect(world.outcomes()).toEqual(['promoted', 'superseded', 'promoted'])
    const kinds = world
      .events()
      .map((event) =>
        event.kind === 'outcome-reached'
          ? event.outcome
          : event.kind === 'set-wanted'
            ? `start ${event.version}`
            : '',
      )
    expect(kinds.indexOf('superseded')).toBeLessThan(kinds.indexOf('start 1.2.0'))
  })

  it('during the watch waits for its end, unless it ends the watch', () => {
    for (const now of [false, true]) {
      const world = withCandidateAt(1000)
      world.deploy('1.2.0', { now })
      world.pass(2000)
      expect(world.state().rollout?.plan.to.version).toBe(now ? '1.2.0' : NEW)
      world.passUntil((state) => isOver(state) && state.stable?.version === '1.2.0')
      expect(world.outcomes()).toEqual(['promoted', 'promoted', 'promoted'])
    }
  })

  it.each([50, 1000])('that is stable itself means: go back now, at %i per mille (S88)', (permille) => {
    const world = withCandidateAt(permille)
    world.deploy('1.0.0')
    world.passUntil(isOver, 20_000)
    expect(world.outcomes()).toEqual(['promoted', 'aborted'])
    expect(world.state().stable?.version).toBe('1.0.0')
    expect(world.weightOf('1.0.0')).toBe(1000)
  })

  it('that was asked for twice under one id begins once, also when it waits or is over', () => {
    const world = withCandidateAt(1000)
    world.deploy('1.2.0', { id: 'once' })
    expect(world.deploy('1.2.0', { id: 'once' })).toEqual({ kind: 'ok', value: [] })
    expect(world.state().queued?.id).toBe('once')
    world.passUntil((state) => isOver(state) && state.stable?.version === '1.2.0')
    expect(world.deploy('1.2.0', { id: 'once' })).toEqual({ kind: 'ok', value: [] })
    expect(world.eventsOf('rollout-started').filter(({ rollout }) => rollout.id === 'once')).toHaveLength(1)
  })

  it('that waits is dropped when the running one is asked for again', () => {
    const world = withCandidateAt(1000)
    world.deploy('1.2.0')
    world.deploy(NEW)
    expect(world.state().queued).toBeNull()
  })
})

describe('by hand', () => {
  it('promotes one stage, all stages, pauses and goes on where that is possible', () => {
    const world = withCandidateAt(50)
    world.byHand('promote')
    world.pass(1500)
    expect(world.weightOf(NEW)).toBe(250)
    world.byHand('pause')
    world.pass(60_000)
    expect(world.weightOf(NEW)).toBe(250)
    world.byHand('resume')
    world.byHand('promote-full')
    world.pass(1500)
    expect(world.weightOf(NEW)).toBe(1000)
    expect(world.byHand('pause')).toMatchObject({ kind: 'failed', problem: { code: 'NOT_ALLOWED_NOW' } })
    world.byHand('promote')
    world.passUntil(isOver, 20_000)
    expect(world.byHand('promote')).toMatchObject({
      kind: 'failed',
      problem: { code: 'NOTHING_IN_PROGRESS' },
    })
    expect(world.byHand('resume')).toMatchObject({ kind: 'failed' })
  })

  it('promotes a good candidate fully although stable is broken (S110)', () => {
    const world = withCandidateAt(50)
    world.target.crash('1.0.0-r')
    world.pass(60_000)
    expect(world.weightOf(NEW)).toBe(1000)
    world.byHand('promote-full')
    world.passUntil(isOver)
    expect(world.state().stable?.version).toBe(NEW)
  })

  it('rolls back to an earlier release, and never returns from it by itself', () => {
    const world = withCandidateAt(1000)
    world.passUntil(isOver)
    world.pass(10_000)
    world.router.quality('1.0.0-r', { errorShare: 0.5 })
    world.deploy('1.0.0', { kind: 'rollback', now: true })
    world.passUntil(isOver)
    expect(world.state().stable?.version).toBe('1.0.0')
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(world.eventsOf('return-started')).toEqual([])
  })

  describe('"deploy --now" in the watch', () => {
    const NEXT = '1.2.0'
    const FOREIGN = { '1.0.0-r': 100, [`${NEW}-r`]: 900 }
    const inWatch = (change: SettingsChange): World =>
      withCandidateAt(1000, createWorld({ settings: simulatedSettings(change) }))

    it('takes the place of a candidate that failed and is held, and never finishes its watch', () => {
      const world = inWatch({ rollback: { onFailure: 'hold' } })
      world.router.quality(`${NEW}-r`, { errorShare: 0.5 })
      world.passUntil(({ blocks }) => blocks.length === 1)
      world.deploy(NEXT, { now: true })
      world.passUntil(isOver)
      expect(world.outcomes()).toEqual(['promoted', 'superseded', 'promoted'])
      expect(world.state().stable?.version).toBe(NEXT)
    })

    it('is refused in front of foreign weights that are left alone; without it the release waits', () => {
      const world = inWatch({ drift: 'hold' })
      world.router.edit(FOREIGN)
      world.pass(1000)
      expect(world.deploy(NEXT, { now: true })).toMatchObject({ problem: { code: 'NOT_ALLOWED_NOW' } })
      expect(world.state()).toMatchObject({ queued: null, stable: { version: '1.0.0' } })
      expect(world.deploy(NEXT)).toMatchObject({ kind: 'ok' })
      world.pass(60_000)
      expect(world.state().queued?.plan.to.version).toBe(NEXT)
    })

    it('goes back from a held watch at once, when it is a way back', () => {
      const world = inWatch({ drift: 'hold' })
      world.router.edit(FOREIGN)
      world.pass(1000)
      world.deploy('0.9.0', { kind: 'rollback', now: true })
      world.passUntil(isOver)
      expect(world.outcomes()).toEqual(['promoted', 'superseded', 'promoted'])
      expect(world.state().stable?.version).toBe('0.9.0')
    })
  })

  it('gives an adopted process back, unchanged and without a listener left', () => {
    const world = createWorld({ settings: simulatedSettings({ replicas: 1 }) })
    world.deploy('1.0.0', { adoption: { port: 9000, pid: null } })
    world.passUntil(isOver)
    world.byHand('unadopt')
    world.pass(10_000)
    expect(world.router.isListening()).toBe(false)
    expect(world.state()).toMatchObject({ stable: null, sets: [], finalizing: false })
  })
})

describe('giving back a service', () => {
  it('ends when its process is gone already, instead of waiting for it (S9)', () => {
    const world = createWorld({ settings: simulatedSettings({ replicas: 1 }) })
    world.deploy('1.0.0', { adoption: { port: 9000, pid: null } })
    world.passUntil(isOver)
    world.target.crash('1.0.0-r')
    world.pass(1000)
    world.byHand('unadopt')
    world.pass(10_000)
    expect(world.state()).toMatchObject({ stable: null, sets: [], finalizing: false })
  })
})

describe('drift', () => {
  it('that a person made is reported and set right, never taken for what was decided (S126, INV7)', () => {
    const world = withCandidateAt(50)
    world.router.edit({ '1.0.0-r': 100, [`${NEW}-r`]: 900 })
    world.pass(1000)
    expect(world.eventsOf('routes-drifted').map(({ cause }) => cause)).toEqual(['edited'])
    expect(world.weightOf(NEW)).toBe(50)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('before the first confirmation is set right, too', () => {
    const world = createWorld()
    world.withStable()
    world.deploy(NEW)
    world.passUntil(
      ({ traffic }) =>
        (traffic.weights[`${NEW}-r`] ?? 0) === 50 && traffic.confirmed?.sequence !== traffic.sequence,
    )
    world.router.edit({ '1.0.0-r': 0, [`${NEW}-r`]: 1000 })
    world.pass(2000)
    expect(world.weightOf(NEW)).toBe(50)
  })

  it('is answered with what is ready now, when a set died in the same look (INV2)', () => {
    const world = withCandidateAt(250)
    world.router.revert('1.0.0-r', world.now())
    world.target.fail('1.0.0-r')
    world.look()
    expect(world.router.weights()).toMatchObject({ [`${NEW}-r`]: 1000 })
  })

  it('of a router that forgot everything is repaired', () => {
    const world = withCandidateAt(250)
    world.router.forget()
    world.pass(1000)
    expect(world.weightOf(NEW)).toBe(250)
    expect(world.eventsOf('routes-drifted').map(({ cause }) => cause)).toEqual(['lost'])
  })

  it('of a data plane that returned to stable by itself takes the stage again, once', () => {
    const world = withCandidateAt(250)
    world.router.revert('1.0.0-r', world.now())
    world.setReachable('router', true)
    world.router.refuse(problem('BUSY', { message: 'busy', remedy: 'Wait.', retryable: true }))
    world.pass(3000)
    world.router.refuse(null)
    world.pass(1000)
    expect(world.eventsOf('step-reopened')).toHaveLength(1)
    expect(world.weightOf(NEW)).toBe(250)
  })

  it('after a change of owner nothing is done before a look, then the routes are set again under the new epoch (S113)', () => {
    const world = withCandidateAt(250)
    const writes = world.router.written().length
    world.restartController()
    expect(world.router.written()).toHaveLength(writes)
    expect(due(world.state())).toEqual([])
    world.look()
    expect(world.router.written()).toHaveLength(writes + 1)
    expect(world.state().traffic.confirmed?.epoch).toBe(1)
    world.pass(500)
    expect(world.state().traffic.confirmed?.epoch).toBe(2)
  })

  it('a new owner that finds a revert of the data plane takes the stage again, and does not cover it up', () => {
    const world = withCandidateAt(250)
    world.router.revert('1.0.0-r', world.now())
    world.restartController()
    world.pass(500)
    expect(world.eventsOf('step-reopened')).toHaveLength(1)
    expect(world.eventsOf('routes-drifted')).toMatchObject([{ cause: 'reverted' }])
    world.pass(1000)
    expect(world.weightOf(NEW)).toBe(250)
  })

  it('every set is asked for again under the new epoch, so that the target refuses the old owner', () => {
    const world = withCandidateAt(250)
    const before = instancesOf(world, NEW).map(({ id }) => id)
    world.restartController()
    world.pass(1000)
    expect(
      world
        .eventsOf('set-asserted')
        .slice(-2)
        .map(({ epoch }) => epoch),
    ).toEqual([2, 2])
    expect(world.state().sets.map(({ assertedEpoch }) => assertedEpoch)).toEqual([2, 2])
    expect(instancesOf(world, NEW).map(({ id }) => id)).toEqual(before)
  })

  it('writes the zero of a side that has none (S128)', () => {
    const world = withCandidateAt(1000)
    expect(world.router.weights()).toMatchObject({ '1.0.0-r': 0, [`${NEW}-r`]: 1000 })
  })
})

describe('when it is over', () => {
  it('an instance that dies later changes nothing about the outcome (S109), and no deadline fires in the hold (S108)', () => {
    const world = withCandidateAt(
      50,
      createWorld({ settings: simulatedSettings({ strategy: { holdMs: null } }) }),
    )
    world.byHand('abort')
    world.passUntil(isOver)
    world.target.crash(`${NEW}-r`)
    world.target.crash('1.0.0-r', 1)
    world.pass(300_000)
    expect(world.outcomes()).toEqual(['promoted', 'aborted'])
  })

  it('troubles of effects that are not due any more are forgotten', () => {
    const world = withCandidateAt(250)
    world.router.refuse(problem('ROUTER_REFUSES', { message: 'no', remedy: 'none', retryable: true }))
    world.byHand('abort')
    world.pass(2000)
    expect(Object.keys(world.state().troubles)).toHaveLength(1)
    world.router.refuse(null)
    world.pass(2000)
    expect(world.state().troubles).toEqual({})
  })
})
