import { expect } from 'vitest'
import { announcementOf } from '../../core/rollout/view/messages.ts'
import { serviceView } from '../../core/rollout/view/service-view.ts'
import { NEW } from './scene.ts'
import type { SettingsChange } from './settings.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver } from './world.ts'

export const BAD = { errorShare: 0.5 }
export const worldWith = (change: SettingsChange): World =>
  createWorld({ settings: simulatedSettings(change) })
export const viewOf = (world: World) =>
  serviceView(world.state(), { revision: 1, now: world.now(), timeline: [], inFlight: {} })
export const announced = (world: World, type: string) =>
  world
    .events()
    .flatMap((event) => announcementOf(event, world.state()) ?? [])
    .filter((one) => one.type === `rollout.${type}`)

/** A candidate with bad answers, rolled back by the statistics. */
export function failOnce(world: World, version = NEW, order: 'deploy' | 'retry' = 'deploy'): void {
  world.router.quality(`${version}-r`, BAD)
  world.deploy(version, { order })
  world.passUntil(isOver)
  expect(world.outcomes().at(-1)).toBe('rolled_back')
}
/** Brings a good release all the way. */
export function promote(world: World, version: string): void {
  world.deploy(version)
  world.passUntil((state) => isOver(state) && state.stable?.version === version)
}
export function withFailure(change: SettingsChange = {}): World {
  const world = worldWith(change)
  world.withStable()
  failOnce(world)
  return world
}
