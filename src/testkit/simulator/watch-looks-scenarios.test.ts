import { expect, it } from 'vitest'
import { NEW, stage } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import { createWorld, isOver, stepKind, type World } from './world.ts'

/** All traffic at once, and a controller that is away for the whole watch. */
function sleptThrough(errorShare: number): World {
  const strategy = { steps: [stage(1000, 3000)], watchMs: 5000 }
  const world = createWorld({ settings: simulatedSettings({ strategy }) })
  world.withStable()
  world.deploy(NEW)
  world.passUntil((state) => stepKind(state) === 'watch')
  world.router.quality(`${NEW}-r`, { errorShare })
  world.restartController(6000)
  world.passUntil(isOver)
  return world
}

it('a watch that nobody looked at does not end with one bad batch, which no limit can be broken by', () => {
  expect(sleptThrough(0.6).outcomes().at(-1)).toBe('rolled_back')
})

it('a good one goes on for as many looks as fit into the watch, and is promoted', () => {
  const world = sleptThrough(0)
  expect(world.outcomes().at(-1)).toBe('promoted')
  const watched = world.eventsOf('step-finished').findLast(({ reason }) => /^watched/.test(reason.message))
  const started = world.eventsOf('step-started').findLast(({ index }) => index === watched?.index)
  expect((watched?.at ?? 0) - (started?.at ?? 0)).toBeLessThanOrEqual(12_000)
})
