import { describe, expect, it } from 'vitest'
import { decidedWeights, instancesOf, NEW, waitingOn } from './scene.ts'
import type { SettingsChange } from './settings.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver, stepKind } from './world.ts'

const worldWith = (blueGreen: SettingsChange['blueGreen'] = {}, replicas = 2): World => {
  const world = createWorld({ settings: simulatedSettings({ blueGreen, replicas }) })
  world.withStable()
  return world
}
const setOf = (world: World, version: string) =>
  world.state().sets.find(({ release }) => release === `${version}-r`)
const atGate = (world: World): void => world.passUntil((state) => stepKind(state) === 'gate')
const atWatch = (world: World): void => world.passUntil((state) => stepKind(state) === 'watch')
const ended = (world: World): void => world.passUntil(isOver)

describe('blue-green', () => {
  it('leaves all traffic on stable until the candidate is ready, then moves it in one confirmed act (S27)', () => {
    const world = worldWith()
    world.deploy(NEW)
    world.passUntil(() => world.weightOf(NEW) > 0)
    expect(decidedWeights(world).filter((weight) => weight > 0)).toEqual([1000])
    expect(world.weightOf('1.0.0')).toBe(0)
    expect(instancesOf(world, NEW)).toHaveLength(2)
    ended(world)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('switches nothing before somebody promotes it, however long that takes (S28, S12)', () => {
    const world = worldWith({ switchAfterMs: null })
    world.deploy(NEW)
    atGate(world)
    world.pass(120_000)
    expect(world.weightOf(NEW)).toBe(0)
    expect(waitingOn(world)).toMatchObject({ kind: 'person', message: expect.stringContaining('promote it') })
    expect(world.byHand('promote').kind).toBe('ok')
    atWatch(world)
    expect(decidedWeights(world).filter((weight) => weight > 0)).toEqual([1000])
  })

  it('switches by itself so long after the candidate was ready, not before and not never (S29)', () => {
    const world = worldWith({ switchAfterMs: 20_000 })
    world.deploy(NEW)
    atGate(world)
    const ready = world.now()
    world.pass(18_000)
    expect(world.weightOf(NEW)).toBe(0)
    world.passUntil(() => world.weightOf(NEW) === 1000)
    expect(world.now() - ready).toBeLessThan(25_000)
  })

  it('grows a small preview to its full size before it gets traffic, also by "full" (S30)', () => {
    for (const action of ['promote', 'promote-full'] as const) {
      const world = worldWith({ switchAfterMs: null, previewReplicas: 1 }, 3)
      world.deploy(NEW)
      atGate(world)
      expect(instancesOf(world, NEW)).toHaveLength(1)
      world.byHand(action)
      world.passUntil(() => world.weightOf(NEW) === 1000)
      expect(instancesOf(world, NEW).filter(({ state }) => state === 'ready')).toHaveLength(3)
    }
  })

  it('never moved when the candidate does not become ready, which is then the outcome (S34)', () => {
    const world = worldWith()
    for (const version of ['1.1.0', '1.2.0', '1.3.0']) {
      world.target.behave(`${version}-r`, 'never-ready')
      world.lift('close-breaker')
      world.deploy(version)
      ended(world)
      expect(world.weightOf('1.0.0')).toBe(1000)
    }
    expect(world.outcomes().slice(1)).toEqual(['rolled_back', 'rolled_back', 'rolled_back'])
    expect(decidedWeights(world, '1.1.0').every((weight) => weight === 0)).toBe(true)
  })

  it('does not open the gate by time while the candidate is not ready (S33)', () => {
    const world = worldWith({ switchAfterMs: 20_000 })
    world.deploy(NEW)
    atGate(world)
    world.target.crash(`${NEW}-r`)
    world.pass(40_000)
    expect(world.weightOf(NEW)).toBe(0)
    expect(stepKind(world.state())).toBe('gate')
  })

  it('returns to the old set at full size when the candidate turns out bad after the switch (S32)', () => {
    const world = worldWith()
    world.router.quality(`${NEW}-r`, { errorShare: 0.5 })
    world.deploy(NEW)
    world.passUntil(() => world.weightOf(NEW) === 1000)
    expect(instancesOf(world, '1.0.0').filter(({ state }) => state === 'ready')).toHaveLength(2)
    ended(world)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.weightOf('1.0.0')).toBe(1000)
  })

  it('keeps the old set ready for its time after the promotion, then lets it go (S35)', () => {
    const world = worldWith({ warmMs: 60_000 })
    world.deploy(NEW)
    ended(world)
    expect(setOf(world, '1.0.0')).toMatchObject({ role: 'warm', releaseAt: expect.any(Number) })
    world.pass(50_000)
    expect(instancesOf(world, '1.0.0')).toHaveLength(2)
    world.passUntil(() => setOf(world, '1.0.0') === undefined)
    expect(instancesOf(world, '1.0.0')).toHaveLength(0)
    expect(world.weightOf(NEW)).toBe(1000)
  })

  it('goes back to the kept set at once, and its removal is cancelled (S90)', () => {
    const world = worldWith({ warmMs: 60_000 })
    world.deploy(NEW)
    ended(world)
    const kept = instancesOf(world, '1.0.0').map(({ id }) => id)
    const asked = world.now()
    world.deploy('1.0.0', { kind: 'rollback', order: 'rollback' })
    world.passUntil(() => world.weightOf('1.0.0') === 1000)
    expect(world.now() - asked).toBeLessThanOrEqual(3000)
    expect(instancesOf(world, '1.0.0').map(({ id }) => id)).toEqual(kept)
    ended(world)
    world.pass(90_000)
    expect(setOf(world, '1.0.0')).toMatchObject({ role: 'stable', releaseAt: null })
    expect(instancesOf(world, '1.0.0')).toHaveLength(2)
    expect(instancesOf(world, NEW)).toHaveLength(0)
  })

  it('never has more than two sets: the kept one goes before the next candidate comes (S35)', () => {
    const world = worldWith({ warmMs: 600_000 })
    for (const version of ['1.1.0', '1.2.0', '1.3.0']) {
      world.deploy(version)
      let most = 0
      world.passUntil((state) => {
        most = Math.max(most, new Set(releasesOf(world)).size)
        return isOver(state) && state.stable?.version === version
      })
      expect(most).toBe(2)
    }
    expect(setOf(world, '1.2.0')).toMatchObject({ role: 'warm' })
    expect(setOf(world, '1.1.0')).toBeUndefined()
  })

  it('keeps the old set beyond its time while the new one has lost instances, and discards it only then', () => {
    const world = worldWith({ warmMs: 30_000 })
    world.deploy(NEW)
    ended(world)
    world.target.crash(`${NEW}-r`, 1)
    world.pass(60_000)
    expect(setOf(world, '1.0.0')).toMatchObject({ role: 'warm' })
    expect(world.discard()).toMatchObject({ kind: 'failed', problem: { code: 'NOT_ALLOWED_NOW' } })
    world.target.restart(`${NEW}-r`)
    world.passUntil(() => setOf(world, '1.0.0') === undefined)
  })

  it('does not keep a release that mends it from beginning, though stable has lost instances', () => {
    const world = worldWith({ warmMs: 600_000 })
    world.deploy(NEW)
    ended(world)
    world.target.crash(`${NEW}-r`, 1)
    world.pass(2000)
    world.deploy('1.2.0')
    world.passUntil((state) => isOver(state) && state.stable?.version === '1.2.0')
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('can be discarded before its time', () => {
    const world = worldWith({ warmMs: 600_000 })
    world.deploy(NEW)
    ended(world)
    expect(world.discard().kind).toBe('ok')
    world.passUntil(() => setOf(world, '1.0.0') === undefined)
    expect(instancesOf(world, '1.0.0')).toHaveLength(0)
  })

  it('is followed by a canary on the same service without a break (S36)', () => {
    const world = worldWith({ warmMs: 60_000 })
    world.deploy(NEW)
    ended(world)
    world.deploy('1.2.0', { settings: simulatedSettings() })
    world.passUntil((state) => isOver(state) && state.stable?.version === '1.2.0')
    expect(decidedWeights(world, '1.2.0').filter((weight) => weight > 0)).toEqual([50, 250, 500, 1000])
    expect(world.state().sets.map(({ version }) => version)).toEqual(['1.2.0'])
  })
})

const releasesOf = (world: World): string[] =>
  world.target.instances().flatMap(({ release, state }) => (state === 'gone' ? [] : [release]))
