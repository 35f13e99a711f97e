import { serviceView } from '../../core/rollout/view/service-view.ts'
import type { World } from './world.ts'
import { createWorld, stepKind } from './world.ts'

export const NEW = '1.1.0'
export const stage = (weightPermille: number, pauseMs: number | null = 10_000) => ({
  weightPermille,
  pauseMs,
  criteria: {},
})

/** A world in which the candidate has this share and its stage has begun. */
export function withCandidateAt(permille: number, world = createWorld()): World {
  world.withStable()
  world.deploy(NEW)
  world.passUntil((state) => world.weightOf(NEW) === permille && stepKind(state) !== 'traffic')
  return world
}
/** A long time in which nothing happens, most of it unseen: the controller looks at its beginning and at its end. */
export function later(world: World, ms: number): void {
  world.pass(2000)
  world.jumpClock(ms - 4000)
  world.pass(2000)
}
export const decidedWeights = (world: World, version = NEW): number[] =>
  world.eventsOf('weights-decided').map(({ weights }) => weights[`${version}-r`] ?? 0)
export const waitingOn = (world: World) =>
  serviceView(world.state(), { revision: 1, now: world.now(), timeline: [], inFlight: {} }).rollout?.waitingOn
export const instancesOf = (world: World, version: string) =>
  world.target.instances().filter(({ release, state }) => release === `${version}-r` && state !== 'gone')
