import { describe, expect, it } from 'vitest'
import { serviceView } from '../../core/rollout/view/service-view.ts'
import { NEW, stage, withCandidateAt } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import { createWorld, isOver, type World } from './world.ts'

const CANDIDATE = `${NEW}-r`
const STABLE = '1.0.0-r'

function worldAtHalf(dryRun: string[] = []): World {
  const settings = simulatedSettings({
    strategy: { steps: [stage(500, 60_000), stage(1000)] },
    ...(dryRun.length === 0 ? {} : { analysis: { dryRun } }),
  })
  const world = createWorld({ settings })
  withCandidateAt(500, world)
  return world
}
const instancesOf = (world: World, release: string) =>
  world.state().sets.find((set) => set.release === release)?.instances ?? []
const viewOf = (world: World) =>
  serviceView(world.state(), { revision: 1, now: world.now(), timeline: [], inFlight: {} })
const pausedBecause = (world: World): string | null => {
  const { rollout } = world.state()
  return rollout?.phase.kind === 'running' ? (rollout.phase.paused?.reason.code ?? null) : null
}

describe('an instance of the candidate that the router leaves out', () => {
  it('once is shown and changes nothing', () => {
    const world = worldAtHalf()
    world.router.eject(instancesOf(world, CANDIDATE).slice(0, 1), 1)
    world.pass(5000)
    const [first] = viewOf(world).sets.find(({ release }) => release === CANDIDATE)?.instances ?? []
    expect(first).toMatchObject({ state: 'ready', ejected: { times: 1, alsoStable: false } })
    world.router.eject([], 1)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(instancesOf(world, CANDIDATE)[0]).not.toHaveProperty('ejected')
  })

  it('again and again pauses, since the others hide its errors, and goes on by hand', () => {
    const world = worldAtHalf()
    world.router.eject(instancesOf(world, CANDIDATE).slice(0, 1), 2)
    world.pass(5000)
    expect(pausedBecause(world)).toBe('INSTANCES_EJECTED')
    world.byHand('resume')
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('rolls back with a second one, as failing instances do', () => {
    const world = worldAtHalf()
    world.router.eject(instancesOf(world, CANDIDATE), 2)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.state().rollout?.phase).toMatchObject({
      reason: {
        code: 'INSTANCES_FAILING',
        message: '2 of 2 instances of 1.1.0 are failing: tried again, and failed: 5xx',
      },
    })
  })

  it('says nothing about its version while stable has one that is left out, too, or where it is a dry run', () => {
    for (const dryRun of [[], ['failing instances']]) {
      const world = worldAtHalf(dryRun)
      const also = dryRun.length === 0 ? instancesOf(world, STABLE).slice(0, 1) : []
      world.router.eject([...instancesOf(world, CANDIDATE), ...also], 3)
      world.passUntil(isOver)
      expect(world.outcomes().at(-1)).toBe('promoted')
    }
  })

  it('is said on while the router does not answer', () => {
    const world = worldAtHalf()
    world.router.eject(instancesOf(world, CANDIDATE).slice(0, 1), 1)
    world.pass(2000)
    world.setReachable('router', false)
    world.pass(2000)
    expect(instancesOf(world, CANDIDATE)[0]?.ejected?.times).toBe(1)
  })
})
