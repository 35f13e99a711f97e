import { describe, expect, it } from 'vitest'
import type { ServiceSettings } from '../../core/release/settings.ts'
import { withoutRequests } from '../../core/release/worker.ts'
import { viewOf } from './course.test.kit.ts'
import { decidedWeights, instancesOf, NEW, stage } from './scene.ts'
import type { SettingsChange } from './settings.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver, stepKind } from './world.ts'

const OLD = '1.0.0'
const worker = (change: SettingsChange = {}): ServiceSettings => {
  const settings = simulatedSettings({ replicas: 4, ...change })
  return { ...settings, listen: null, analysis: withoutRequests(settings.analysis) }
}
const worldWith = (settings = worker()): World => {
  const world = createWorld({ settings, requestsPerSecond: 0 })
  world.withStable()
  return world
}
const working = (world: World, version: string): number =>
  instancesOf(world, version).filter(({ state }) => state === 'ready').length
const ended = (world: World): void => world.passUntil(isOver)

describe('workers', () => {
  it('a canary goes by share of instances, and no request is asked for', () => {
    const world = worldWith()
    world.deploy(NEW)
    const seen = new Set<string>()
    world.passUntil((state) => {
      if (stepKind(state) === 'observe') seen.add(`${working(world, NEW)}+${working(world, OLD)}`)
      return isOver(state)
    })
    // 5%, 25% and 50% of four.
    expect([...seen]).toEqual(['1+3', '2+2'])
    expect(world.outcomes().at(-1)).toBe('promoted')
    world.pass(5000)
    expect([working(world, NEW), working(world, OLD)]).toEqual([4, 0])
    expect(world.eventsOf('routes-decided')).toEqual([])
  })

  it('is told of by instances and not by traffic', () => {
    const world = worldWith()
    world.deploy(NEW)
    world.passUntil((state) => stepKind(state) === 'observe')
    expect(viewOf(world)).toMatchObject({
      sharedBy: 'instances',
      sentence: expect.stringContaining('25% of the instances'),
    })
  })

  it('never fewer work than before, also where there is one', () => {
    for (const replicas of [1, 2, 4]) {
      const world = worldWith(worker({ replicas }))
      world.deploy(NEW)
      world.passUntil((state) => {
        expect(working(world, NEW) + working(world, OLD)).toBeGreaterThanOrEqual(replicas)
        return isOver(state)
      })
      expect(world.outcomes().at(-1)).toBe('promoted')
    }
  })

  it('rolls in batches', () => {
    const world = worldWith(worker({ rolling: {} }))
    world.deploy(NEW)
    world.passUntil((state) => {
      expect(working(world, NEW) + working(world, OLD)).toBeLessThanOrEqual(5)
      return isOver(state)
    })
    expect([...new Set(decidedWeights(world).filter((weight) => weight > 0))]).toEqual([250, 500, 750, 1000])
  })

  it('goes back for what needs no request: crashes, in reverse batches', () => {
    const world = worldWith()
    world.deploy(NEW)
    world.passUntil((state) => stepKind(state) === 'observe' && working(world, NEW) === 2)
    for (let times = 0; times < 6; times += 1) {
      world.target.crash(`${NEW}-r`)
      world.target.restart(`${NEW}-r`)
      world.pass(3000)
    }
    ended(world)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    world.pass(20_000)
    expect([working(world, OLD), working(world, NEW)]).toEqual([4, 0])
  })

  it('keeps no worker of either side where it would go on working', () => {
    const world = worldWith()
    world.deploy(NEW)
    world.passUntil((state) => stepKind(state) === 'watch')
    expect(working(world, OLD)).toBe(0)
    world.byHand('abort')
    world.passUntil((state) => isOver(state) && working(world, OLD) === 4)
    world.pass(2000)
    expect(instancesOf(world, NEW)).toEqual([])
  })

  it('does not wait for old workers that take long over what they have, nor does a way back', () => {
    const world = worldWith(worker({ strategy: { steps: [stage(1000)], watchMs: 2000 } }))
    world.target.lingers(`${OLD}-r`)
    world.deploy(NEW)
    ended(world)
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(instancesOf(world, OLD).map(({ state }) => state)).toEqual(Array(4).fill('stopping'))
    world.deploy(OLD, { kind: 'rollback', order: 'rollback' })
    world.passUntil((state) => isOver(state) && state.stable?.version === OLD)
    expect(working(world, OLD)).toBe(4)
  })
})
