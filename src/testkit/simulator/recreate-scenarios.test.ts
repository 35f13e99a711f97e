import { describe, expect, it } from 'vitest'
import type { ServiceSettings } from '../../core/release/settings.ts'
import { withoutRequests } from '../../core/release/worker.ts'
import { announcementOf } from '../../core/rollout/view/messages.ts'
import { serviceView } from '../../core/rollout/view/service-view.ts'
import { instancesOf, NEW, waitingOn } from './scene.ts'
import { type SettingsChange, simulatedSettings } from './settings.ts'
import { createWorld, isOver, stepKind, type World } from './world.ts'

const OLD = '1.0.0'
const recreate = (change: SettingsChange = {}): ServiceSettings =>
  simulatedSettings({ recreate: {}, ...change })
const worker = (): ServiceSettings => {
  const settings = recreate({ replicas: 3 })
  return { ...settings, listen: null, analysis: withoutRequests(settings.analysis) }
}
const worldWith = (settings = recreate()): World => {
  const world = createWorld({ settings })
  world.withStable()
  return world
}
const ended = (world: World): void => world.passUntil(isOver)
const atWatch = (world: World): void => world.passUntil((state) => stepKind(state) === 'watch')
const running = (world: World, version: string): number => instancesOf(world, version).length
const ready = (world: World, version: string): number =>
  instancesOf(world, version).filter(({ state }) => state === 'ready').length
const isClosed = (world: World): boolean => world.router.side().closed !== null
const lossOf = (world: World) =>
  serviceView(world.state(), { revision: 1, now: world.now(), timeline: [], inFlight: {} }).rollout?.loss
/** Looks at every moment that two versions are never there together. */
const passApart = (world: World, reached: (world: World) => boolean): void =>
  world.passUntil(() => {
    expect(Math.min(running(world, OLD), running(world, NEW))).toBe(0)
    return reached(world)
  })

describe('recreate', () => {
  it('counts every request that it turned away, up to the moment of opening, there and back', () => {
    const world = worldWith()
    world.deploy(NEW)
    ended(world)
    const turnedAway = () => world.router.counts().closed ?? 0
    expect(lossOf(world)?.closed).toBe(turnedAway())
    const before = turnedAway()
    world.deploy(OLD, { kind: 'rollback', settings: recreate() })
    ended(world)
    expect(turnedAway()).toBeGreaterThan(before)
    expect(lossOf(world)?.closed).toBe(turnedAway() - before)
  })

  it('stops what runs before the new one starts, and nobody is served in between', () => {
    const world = worldWith()
    world.deploy(NEW)
    passApart(world, () => running(world, OLD) === 0)
    expect([isClosed(world), world.router.weights()]).toEqual([true, {}])
    passApart(world, () => world.weightOf(NEW) === 1000)
    expect(isClosed(world)).toBe(false)
    passApart(world, (now) => isOver(now.state()))
    expect(world.outcomes().at(-1)).toBe('promoted')
    world.pass(5000)
    expect([ready(world, NEW), running(world, OLD)]).toEqual([2, 0])
  })

  it('says how many requests were turned away, and that they are lost', () => {
    const world = worldWith()
    world.deploy(NEW)
    ended(world)
    const loss = lossOf(world)
    expect(loss?.closed).toBeGreaterThan(200)
    expect(loss?.requestsLost).toBe(loss?.closed)
  })

  it('tells people that nobody is served, and why', () => {
    const world = worldWith()
    world.deploy(NEW)
    world.passUntil(() => isClosed(world))
    const [closed] = world.eventsOf('weights-decided').filter((event) => event.closed !== undefined)
    if (closed === undefined) throw new Error('it was never closed')
    expect(announcementOf(closed, world.state())).toMatchObject({
      type: 'rollout.closed',
      severity: 'warning',
      summary: 'shop 1.1.0 in local: nobody is served until 1.1.0 is ready: 1.0.0 stops first',
    })
  })

  it('lets requests that run finish before anything stops', () => {
    const world = worldWith()
    const [old] = instancesOf(world, OLD)
    world.router.drain([{ id: old?.id ?? '', release: `${OLD}-r` }], 100)
    world.deploy(NEW)
    world.pass(4000)
    expect([ready(world, OLD), isClosed(world)]).toEqual([2, true])
    expect(waitingOn(world)?.message).toBe('nobody is served: 2 of 1.0.0 still run, 1 with work')
    world.router.drain([], 0)
    passApart(world, () => running(world, NEW) > 0)
  })

  it('starts the old one again when the new one never becomes ready', () => {
    const world = worldWith()
    world.target.behave(`${NEW}-r`, 'never-ready')
    world.deploy(NEW)
    passApart(world, ({ state }) => isOver(state()))
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect([ready(world, OLD), world.weightOf(OLD), isClosed(world)]).toEqual([2, 1000, false])
    expect(world.state().rollout?.problem?.code).toBe('NEVER_READY')
  })

  it('goes back by the same way when the watch finds something critical', () => {
    const world = worldWith()
    world.deploy(NEW)
    atWatch(world)
    world.router.quality(`${NEW}-r`, { errorShare: 0.5 })
    passApart(world, () => running(world, NEW) === 0)
    expect(isClosed(world)).toBe(true)
    passApart(world, ({ state }) => isOver(state()))
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect([ready(world, OLD), world.weightOf(OLD)]).toEqual([2, 1000])
  })

  it('takes the old one back at once where it has not stopped yet', () => {
    const world = worldWith()
    const [old] = instancesOf(world, OLD)
    world.router.drain([{ id: old?.id ?? '', release: `${OLD}-r` }], 100)
    world.deploy(NEW)
    world.pass(2000)
    world.byHand('abort')
    world.pass(1500)
    expect([world.weightOf(OLD), isClosed(world), world.outcomes().at(-1)]).toEqual([1000, false, 'aborted'])
    expect(instancesOf(world, OLD).map(({ id }) => id)).toContain(old?.id)
  })

  it.each([500, 1500, 2500, 3500, 5000])('may be aborted after %i ms, and serves the old one again', (ms) => {
    const world = worldWith()
    world.deploy(NEW)
    world.pass(ms)
    world.byHand('abort')
    passApart(world, ({ state }) => isOver(state()))
    world.pass(5000)
    expect([world.outcomes().at(-1), ready(world, OLD), world.weightOf(OLD), running(world, NEW)]).toEqual([
      'aborted',
      2,
      1000,
      0,
    ])
  })

  it('fails where neither of them becomes ready, and serves what does later', () => {
    const world = worldWith()
    world.target.behave(`${NEW}-r`, 'never-ready')
    world.deploy(NEW)
    world.passUntil(() => running(world, OLD) === 0)
    world.target.behave(`${OLD}-r`, 'never-ready')
    ended(world)
    expect(world.outcomes().at(-1)).toBe('failed')
    expect(world.state().rollout?.problem?.code).toBe('RETURN_NOT_READY')
    world.target.behave(`${OLD}-r`, 'ready')
    expect(isClosed(world)).toBe(false)
  })

  it('is held up by nothing while nobody is served: neither by a pause nor by a freeze', () => {
    const world = worldWith()
    world.deploy(NEW)
    world.passUntil(() => isClosed(world))
    const paused = world.byHand('pause')
    expect(paused.kind === 'failed' ? paused.problem.message : '').toContain('would only make that longer')
    world.setFreeze({})
    world.passUntil(() => world.weightOf(NEW) === 1000)
  })

  it('waits for the end of a freeze before it begins', () => {
    const world = worldWith()
    world.setFreeze({})
    world.pass(1000)
    world.deploy(NEW)
    world.pass(5000)
    expect([isClosed(world), ready(world, OLD)]).toEqual([false, 2])
  })

  it('goes on after the controller died at any moment', () => {
    for (const ms of [300, 800, 1500, 2500, 4000, 6000]) {
      const world = worldWith()
      world.deploy(NEW)
      world.pass(ms)
      world.restartController(1000)
      passApart(world, ({ state }) => isOver(state()))
      expect(world.outcomes().at(-1)).toBe('promoted')
    }
  })

  it('puts what somebody opened from outside right at once, also where foreign weights are left alone', () => {
    const world = worldWith(recreate({ drift: 'hold' }))
    world.deploy(NEW)
    world.passUntil(() => isClosed(world))
    world.router.edit({ [`${OLD}-r`]: 1000 })
    world.pass(1000)
    expect(isClosed(world)).toBe(true)
    ended(world)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('stops what is kept for a look, too, since it may hold what the new one needs', () => {
    const world = createWorld({ settings: simulatedSettings({ strategy: { holdMs: null } }) })
    world.withStable()
    world.deploy('0.9.0')
    world.passUntil(() => world.weightOf('0.9.0') > 0)
    world.byHand('abort')
    world.pass(3000)
    expect(ready(world, '0.9.0')).toBe(2)
    world.deploy(NEW, { settings: recreate() })
    world.passUntil(() => running(world, NEW) > 0)
    expect([running(world, '0.9.0'), running(world, OLD)]).toEqual([0, 0])
  })

  it('a rollback goes the same way, and so does a newer release that comes during the watch', () => {
    const world = worldWith()
    world.deploy(NEW)
    ended(world)
    world.pass(5000)
    world.deploy(OLD, { kind: 'rollback' })
    passApart(world, ({ state }) => isOver(state()))
    expect([world.outcomes().at(-1), ready(world, OLD), running(world, NEW)]).toEqual(['promoted', 2, 0])
  })

  it('takes over from another strategy on a live service, and gives over to one (S36)', () => {
    const world = createWorld({ settings: simulatedSettings() })
    world.withStable()
    world.deploy(NEW, { settings: recreate() })
    passApart(world, ({ state }) => isOver(state()))
    expect(world.outcomes().at(-1)).toBe('promoted')
    world.deploy('1.2.0')
    world.passUntil((state) => state.rollout?.plan.to.version === '1.2.0' && isOver(state))
    world.pass(5000)
    expect([world.outcomes().at(-1), ready(world, '1.2.0'), running(world, NEW)]).toEqual(['promoted', 2, 0])
    expect(isClosed(world)).toBe(false)
  })

  it('has no other step to jump to, and a full promotion leaves nothing out (S23)', () => {
    const world = worldWith()
    world.deploy(NEW)
    world.passUntil(() => isClosed(world))
    const jumped = world.send({
      kind: 'jump',
      weightPermille: 500,
      actor: { kind: 'person', name: 'ada' },
      note: '',
    })
    expect(jumped).toMatchObject({ kind: 'failed', problem: { code: 'NO_SUCH_STEP' } })
    expect(world.byHand('promote-full').kind).toBe('ok')
    passApart(world, ({ state }) => isOver(state()))
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('brings as many as the new release asks for, whatever the old one had (S24)', () => {
    for (const replicas of [1, 4]) {
      const world = worldWith()
      world.deploy(NEW, { settings: recreate({ replicas }) })
      ended(world)
      world.pass(5000)
      expect([ready(world, NEW), running(world, OLD)]).toEqual([replicas, 0])
    }
  })

  it('stops all workers before any of the new ones starts', () => {
    const world = worldWith(worker())
    world.deploy(NEW)
    passApart(world, ({ state }) => isOver(state()))
    expect(world.outcomes().at(-1)).toBe('promoted')
    world.pass(2000)
    expect([ready(world, NEW), running(world, OLD)]).toEqual([3, 0])
    expect(world.eventsOf('routes-decided')).toEqual([])
  })

  it('starts the old workers again, once the new ones have stopped', () => {
    const world = worldWith(worker())
    world.deploy(NEW)
    atWatch(world)
    world.byHand('abort')
    passApart(world, ({ state }) => isOver(state()))
    expect([world.outcomes().at(-1), ready(world, OLD), running(world, NEW)]).toEqual(['aborted', 3, 0])
  })
})
