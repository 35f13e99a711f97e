import { describe, expect, it } from 'vitest'
import { NEW, withCandidateAt } from './scene.ts'

describe('a controller that takes over', () => {
  it('is told nothing by a look that began before: it looks for itself before it acts (INV10)', () => {
    const world = withCandidateAt(500)
    const before = world.state().epoch
    const observation = world.observation()
    world.restartController()
    expect(world.state().unseen).toEqual(['router', 'target'])
    const seen = world.send({ kind: 'observed', observation, underEpoch: before })
    expect(seen).toMatchObject({ kind: 'ok', value: [] })
    expect(world.state().unseen).toEqual(['router', 'target'])
    world.send({ kind: 'observed', observation, underEpoch: before + 1 })
    expect(world.state().unseen).toEqual([])
    expect(world.weightOf(NEW)).toBe(500)
  })
})
