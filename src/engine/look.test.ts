import { describe, expect, it } from 'vitest'
import { createWorld, stepKind } from '../testkit/simulator/world.ts'
import { lookAgainMs } from './look.ts'

const NEW = '1.1.0'

/** A rollout in its first stage of ten seconds, evaluated each second. */
function inFirstStage() {
  const world = createWorld()
  world.withStable()
  world.deploy(NEW)
  world.passUntil((state) => stepKind(state) === 'observe' && state.rollout?.cursor !== null)
  return world
}

describe('how soon to look again', () => {
  it('looks often while there are few streams', () => {
    const world = inFirstStage()
    for (const streams of [1, 100, 250])
      expect(lookAgainMs(world.state(), { now: world.now(), streams })).toBe(250)
  })

  it('looks less often at each of very many, and never later than its next evaluation', () => {
    const world = inFirstStage()
    const evaluatedAt = world.state().rollout?.cursor?.at ?? 0
    expect(lookAgainMs(world.state(), { now: evaluatedAt, streams: 500 })).toBe(500)
    expect(lookAgainMs(world.state(), { now: evaluatedAt, streams: 100_000 })).toBe(1005)
    expect(lookAgainMs(world.state(), { now: evaluatedAt + 900, streams: 100_000 })).toBe(105)
  })

  it('does not wait longer for numbers that are overdue than the many allow for', () => {
    const world = inFirstStage()
    const { cursor } = world.state().rollout ?? {}
    const step = { now: (cursor?.at ?? 0) + 1500, streams: 2000 }
    expect(lookAgainMs(world.state(), step)).toBe(2000)
  })

  it('keeps its pace with a rollout that goes back, however many there are', () => {
    const world = inFirstStage()
    world.byHand('abort')
    const { rollout } = world.state()
    expect(rollout?.phase.kind).toBe('returning')
    expect(lookAgainMs(world.state(), { now: world.now(), streams: 100_000 })).toBe(150)
  })
})
