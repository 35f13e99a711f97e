import { describe, expect, it } from 'vitest'
import { NEW, withCandidateAt } from './scene.ts'
import { isOver } from './world.ts'

const STABLE = '1.0.0-r'

describe('a router that lost its routes', () => {
  it('and returns the new ones to stable before anybody read them, gets newer ones (INV7)', () => {
    const world = withCandidateAt(500)
    world.router.forget()
    world.look()
    expect(world.weightOf(NEW)).toBe(500)
    world.router.revert(STABLE, world.now())
    expect(world.weightOf(NEW)).toBe(0)
    world.pass(2000)
    expect(world.weightOf(NEW)).toBe(500)
    expect(world.eventsOf('routes-drifted').map(({ cause }) => cause)).toEqual(['lost', 'reverted'])
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })
})
