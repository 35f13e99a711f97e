import { describe, expect, it } from 'vitest'
import { decidedWeights, instancesOf, NEW, waitingOn } from './scene.ts'
import type { SettingsChange } from './settings.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver, stepKind } from './world.ts'

const OLD = '1.0.0'
const worldWith = (rolling: SettingsChange['rolling'] = {}, replicas = 3): World => {
  const world = createWorld({ settings: simulatedSettings({ rolling, replicas }) })
  world.withStable()
  return world
}
const atWatch = (world: World): void => world.passUntil((state) => stepKind(state) === 'watch')
const ended = (world: World): void => world.passUntil(isOver)
const running = (world: World, version: string): number =>
  instancesOf(world, version).filter(({ state }) => state !== 'stopping').length
const ready = (world: World, version: string): number =>
  instancesOf(world, version).filter(({ state }) => state === 'ready').length
const jump = (world: World, weightPermille: number) =>
  world.send({ kind: 'jump', weightPermille, actor: { kind: 'person', name: 'ada' }, note: '' })
/** Until so many of the candidate have taken the place of as many of stable. */
const afterBatch = (world: World, batch: number): void =>
  world.passUntil((state) => stepKind(state) === 'observe' && running(world, NEW) === batch)

describe('rolling', () => {
  it('replaces instances one by one, each with its share of traffic', () => {
    const world = worldWith()
    world.deploy(NEW)
    atWatch(world)
    expect([...new Set(decidedWeights(world).filter((weight) => weight > 0))]).toEqual([333, 666, 1000])
    ended(world)
    expect(world.outcomes().at(-1)).toBe('promoted')
    world.pass(5000)
    expect([running(world, NEW), running(world, OLD)]).toEqual([3, 0])
  })

  it('never runs more than the surge allows, and stable is never smaller than its share needs (S21)', () => {
    const world = worldWith()
    world.deploy(NEW)
    world.passUntil((state) => {
      if (state.stable?.version === OLD)
        expect(3 * world.weightOf(OLD)).toBeLessThanOrEqual(1000 * ready(world, OLD) + 3)
      expect(running(world, NEW) + running(world, OLD)).toBeLessThanOrEqual(4)
      expect(ready(world, NEW) + ready(world, OLD)).toBeGreaterThanOrEqual(3)
      return isOver(state)
    })
  })

  it('waits for an instance that takes its time to stop before it starts the next one', () => {
    const world = worldWith()
    world.target.lingers(`${OLD}-r`)
    world.deploy(NEW)
    const everything = () => instancesOf(world, NEW).length + instancesOf(world, OLD).length
    world.passUntil((state) => {
      expect(everything()).toBeLessThanOrEqual(4)
      return stepKind(state) === 'provision' && running(world, OLD) === 2
    })
    world.pass(60_000)
    expect([everything(), running(world, NEW)]).toEqual([4, 1])
    expect(waitingOn(world)?.message).toBe('1 of 1.0.0 stops first, since no more may run at a time')
    world.target.endLingering(`${OLD}-r`)
    world.passUntil((state) => {
      expect(everything()).toBeLessThanOrEqual(4)
      return isOver(state)
    })
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('makes room in a stable set that grew while the plan waited (S24)', () => {
    const rolling = { surge: 0, unavailable: 1 }
    const world = worldWith(rolling, 2)
    world.deploy(NEW, { settings: simulatedSettings({ rolling, replicas: 4 }) })
    atWatch(world)
    world.deploy('1.2.0', { settings: simulatedSettings({ rolling, replicas: 3 }) })
    world.passUntil((state) => isOver(state) && state.rollout?.plan.to.version === '1.2.0')
    expect(world.outcomes().slice(1)).toEqual(['promoted', 'promoted'])
    world.pass(5000)
    expect([running(world, '1.2.0'), running(world, NEW)]).toEqual([3, 0])
  })

  it('gives the last of a stable set that shrank meanwhile its share until there is no room for it (S24)', () => {
    const rolling = { surge: 0, unavailable: 1 }
    for (const replicas of [2, 3]) {
      const world = worldWith(rolling, 3)
      world.deploy(NEW, { settings: simulatedSettings({ rolling, replicas: 1 }) })
      atWatch(world)
      world.deploy('1.2.0', { settings: simulatedSettings({ rolling, replicas }) })
      world.passUntil((state) => {
        const isNext = state.rollout?.plan.to.version === '1.2.0'
        const isShared = stepKind(state) === 'observe' && world.weightOf('1.2.0') < 1000
        if (isNext && isShared) expect(ready(world, NEW)).toBeGreaterThan(0)
        return isNext && isOver(state)
      })
      expect(world.outcomes().slice(1)).toEqual(['promoted', 'promoted'])
      world.pass(5000)
      expect([running(world, '1.2.0'), running(world, NEW)]).toEqual([replicas, 0])
    }
  })

  it('replaces without a surge where some may be missing', () => {
    const world = worldWith({ surge: 0, unavailable: 1 })
    world.deploy(NEW)
    world.passUntil((state) => {
      expect(running(world, NEW) + running(world, OLD)).toBeLessThanOrEqual(3)
      expect(ready(world, NEW) + ready(world, OLD)).toBeGreaterThanOrEqual(2)
      return isOver(state)
    })
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(running(world, NEW)).toBe(3)
  })

  it('loses no instance of stable for a candidate that never becomes ready (S38)', () => {
    const world = worldWith()
    world.target.behave(`${NEW}-r`, 'never-ready')
    world.deploy(NEW)
    world.passUntil((state) => {
      expect(ready(world, OLD)).toBe(3)
      return isOver(state)
    })
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.weightOf(OLD)).toBe(1000)
  })

  it('keeps the bounds against the stable set when a bad candidate follows a bad one (S39)', () => {
    const world = worldWith()
    world.deploy(NEW)
    afterBatch(world, 2)
    world.target.behave('1.2.0-r', 'never-ready')
    world.deploy('1.2.0')
    world.passUntil((state) => {
      const all = running(world, OLD) + running(world, NEW) + running(world, '1.2.0')
      expect(all).toBeLessThanOrEqual(4)
      if (running(world, '1.2.0') > 0) expect([running(world, OLD), running(world, NEW)]).toEqual([3, 0])
      return isOver(state) && state.queued === null && state.rollout?.plan.to.version === '1.2.0'
    })
    expect(world.outcomes().slice(1)).toEqual(['superseded', 'rolled_back'])
    expect(ready(world, OLD)).toBe(3)
  })

  it('grows stable before traffic comes back to it, in reverse batches (S17, S81)', () => {
    const world = worldWith()
    world.deploy(NEW)
    afterBatch(world, 2)
    expect(running(world, OLD)).toBe(1)
    world.byHand('abort')
    world.passUntil((state) => {
      const share = world.weightOf(OLD)
      expect(share).toBeLessThanOrEqual(Math.floor((1000 * ready(world, OLD)) / 3) + 1)
      expect(running(world, NEW) + running(world, OLD)).toBeLessThanOrEqual(4)
      return isOver(state)
    })
    expect(world.outcomes().at(-1)).toBe('aborted')
    world.pass(20_000)
    expect([ready(world, OLD), running(world, NEW)]).toEqual([3, 0])
  })

  it('does not leave traffic on what failed for an instance of stable that never becomes ready again (S84)', () => {
    const world = worldWith()
    world.deploy(NEW)
    afterBatch(world, 2)
    world.target.behave(`${OLD}-r`, 'never-ready')
    world.byHand('abort')
    ended(world)
    expect(world.outcomes().at(-1)).toBe('aborted')
    expect(world.weightOf(OLD)).toBe(1000)
  })

  it('goes back from the watch, where nearly nothing of stable is left, with none and with some missing', () => {
    for (const rolling of [{}, { surge: 0, unavailable: 1 }, { surge: 2, unavailable: 1 }]) {
      const world = worldWith(rolling)
      world.deploy(NEW)
      atWatch(world)
      world.byHand('abort')
      ended(world)
      world.pass(30_000)
      expect([ready(world, OLD), running(world, NEW), world.weightOf(OLD)]).toEqual([3, 0, 1000])
    }
  })

  it('goes back by itself when the new version fails most requests', () => {
    const world = worldWith()
    world.deploy(NEW)
    afterBatch(world, 1)
    world.router.quality(`${NEW}-r`, { errorShare: 0.6 })
    ended(world)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    world.pass(20_000)
    expect(ready(world, OLD)).toBe(3)
  })

  it('gives traffic back at once when nothing of the candidate serves any more', () => {
    const world = worldWith()
    world.deploy(NEW)
    afterBatch(world, 2)
    world.target.crash(`${NEW}-r`)
    world.pass(2000)
    expect(world.weightOf(OLD)).toBe(1000)
    world.pass(40_000)
    expect(ready(world, OLD)).toBe(3)
  })

  it('stands still while it is paused, and calls back what had not left when it is aborted then', () => {
    const world = worldWith()
    world.deploy(NEW)
    world.passUntil((state) => stepKind(state) === 'shrink')
    world.byHand('pause')
    world.pass(30_000)
    const sizes = [running(world, OLD), running(world, NEW)]
    world.pass(30_000)
    expect([running(world, OLD), running(world, NEW)]).toEqual(sizes)
    world.byHand('abort')
    ended(world)
    world.pass(20_000)
    expect([ready(world, OLD), running(world, NEW)]).toEqual([3, 0])
  })

  it('a jump and a full promotion leave out what is waited for, and no batch (S23)', () => {
    for (const act of ['jump', 'full'] as const) {
      const world = worldWith({ pauseMs: null })
      world.deploy(NEW)
      afterBatch(world, 1)
      if (act === 'full') expect(world.byHand('promote-full').kind).toBe('ok')
      else expect(jump(world, 1000).kind).toBe('ok')
      world.passUntil((state) => {
        expect(running(world, NEW) + running(world, OLD)).toBeLessThanOrEqual(4)
        return stepKind(state) === 'watch'
      })
      expect([...new Set(decidedWeights(world).filter((weight) => weight > 0))]).toEqual([333, 666, 1000])
    }
  })

  it('a jump back to an earlier batch grows stable first (S23)', () => {
    const world = worldWith({ pauseMs: null }, 4)
    world.deploy(NEW)
    afterBatch(world, 1)
    world.byHand('promote')
    afterBatch(world, 2)
    world.byHand('promote')
    afterBatch(world, 3)
    expect(jump(world, 250).kind).toBe('ok')
    world.passUntil((state) => {
      expect(running(world, NEW) + running(world, OLD)).toBeLessThanOrEqual(5)
      return stepKind(state) === 'observe' && world.weightOf(NEW) === 250
    })
    expect([ready(world, OLD), running(world, NEW)]).toEqual([3, 1])
  })

  it('a new controller goes on in the middle of a batch with the same instances', () => {
    const world = worldWith()
    world.deploy(NEW)
    world.passUntil((state) => state.sets.some(({ leaving }) => leaving.length > 0))
    const leaving = world.state().sets.flatMap((set) => set.leaving)
    world.restartController()
    ended(world)
    expect(world.outcomes().at(-1)).toBe('promoted')
    const shrunk = world.eventsOf('set-shrunk').flatMap((event) => event.leaving)
    expect(shrunk.filter((id) => leaving.includes(id))).toEqual(leaving)
  })

  it('goes back to an earlier release in batches, too', () => {
    const world = worldWith()
    world.deploy(NEW)
    ended(world)
    world.deploy(OLD, { kind: 'rollback', order: 'rollback' })
    world.passUntil((state) => {
      expect(running(world, NEW) + running(world, OLD)).toBeLessThanOrEqual(4)
      return isOver(state) && state.stable?.version === OLD
    })
    expect(running(world, OLD)).toBe(3)
  })

  it('changes the size of the service as it goes (S24)', () => {
    for (const [before, after] of [
      [2, 5],
      [5, 2],
      [3, 1],
      [1, 3],
    ] as const) {
      const world = worldWith({}, before)
      world.deploy(NEW, { settings: simulatedSettings({ rolling: {}, replicas: after }) })
      ended(world)
      expect(world.outcomes().at(-1)).toBe('promoted')
      world.pass(5000)
      expect([running(world, NEW), running(world, OLD)]).toEqual([after, 0])
    }
  })

  it('takes over from another strategy on a live service, and gives over to one (S36)', () => {
    const world = worldWith({})
    world.deploy(NEW, { settings: simulatedSettings({ replicas: 3 }) })
    ended(world)
    world.deploy('1.2.0')
    ended(world)
    world.pass(5000)
    expect(world.outcomes().slice(1)).toEqual(['promoted', 'promoted'])
    expect([running(world, '1.2.0'), running(world, NEW)]).toEqual([3, 0])
  })

  it('says what it waits for', () => {
    const world = worldWith()
    world.deploy(NEW)
    world.passUntil((state) => stepKind(state) === 'shrink')
    expect(waitingOn(world)?.kind).toMatch(/router|drain|instances/)
  })
})
