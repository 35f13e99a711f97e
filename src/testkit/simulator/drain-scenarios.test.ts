import { describe, expect, it } from 'vitest'
import { instancesOf, NEW, withCandidateAt } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver, stepKind } from './world.ts'

const OLD = '1.0.0'
const HOUR_MS = 3_600_000
/** Limits of the drain in the settings, and how long the engine waits beyond them. */
const GIVEN_UP_AFTER_MS = 5000 + 10_000
const stops = (world: World): string[] => world.eventsOf('set-stopping').map(({ release }) => release)

/** The candidate has everything, and is about to become stable. */
function atWatch(world = createWorld()): World {
  world.withStable()
  world.deploy(NEW)
  world.passUntil((state) => stepKind(state) === 'watch')
  return world
}

describe('an old set is let go', () => {
  it('and waits for requests on instances that had left the routes before (INV3)', () => {
    const world = atWatch()
    const old = instancesOf(world, OLD)
    world.target.unready(`${OLD}-r`)
    world.router.drain(old, 200)
    world.passUntil((state) => state.stable?.version === NEW)
    world.pass(3000)
    expect(stops(world)).toEqual([])
    expect(stepKind(world.state())).toBe('drain')
    world.router.drain([], 0)
    world.passUntil(isOver)
    expect(stops(world)).toEqual([`${OLD}-r`])
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('and a candidate that failed and keeps its decided share is not stopped while requests run on it (INV3)', () => {
    const settings = simulatedSettings({ rollback: { onFailure: 'hold' } })
    const world = withCandidateAt(250, createWorld({ settings }))
    world.router.quality(`${NEW}-r`, { errorShare: 0.5 })
    world.passUntil(({ blocks }) => blocks.length === 1)
    world.target.unready(`${NEW}-r`)
    world.router.drain(instancesOf(world, NEW), 200)
    world.pass(1000)
    world.deploy('1.2.0')
    world.pass(3000)
    expect(stops(world)).toEqual([])
    world.router.drain([], 0)
    world.passUntil(isOver)
    expect(stops(world)).toContain(`${NEW}-r`)
  })

  it.each([HOUR_MS, -HOUR_MS])('and a clock that is set by %i ms does not end its drain (INV3)', (byMs) => {
    const world = atWatch()
    const old = instancesOf(world, OLD)
    world.passUntil((state) => stepKind(state) === 'drain' || state.stable?.version === NEW)
    world.router.drain(old, 200)
    world.pass(1000)
    world.jumpClock(byMs)
    world.pass(3000)
    expect(stops(world)).toEqual([])
    world.router.drain([], 0)
    world.passUntil(isOver)
    expect(stops(world)).toEqual([`${OLD}-r`])
  })

  it('and a drain that goes on long after its limits, by the clock of the router, is given up', () => {
    const world = atWatch()
    const old = instancesOf(world, OLD)
    world.router.drain(old, 200)
    world.passUntil((state) => stepKind(state) === 'drain')
    world.router.drain(old, GIVEN_UP_AFTER_MS - 1)
    world.pass(60_000)
    expect(stops(world)).toEqual([])
    world.router.drain(old, GIVEN_UP_AFTER_MS)
    world.passUntil(isOver)
    expect(stops(world)).toEqual([`${OLD}-r`])
  })
})
