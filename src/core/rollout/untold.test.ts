import { describe, expect, it } from 'vitest'
import { createWorld } from '../../testkit/simulator/world.ts'
import { evolveAll } from './evolve.ts'
import type { ServiceState } from './state.ts'
import { seeUntold } from './untold.ts'

const failure = {
  kind: 'not-told' as const,
  message: 'it could not be told: ./drain.sh: ended with code 3',
  at: 5,
}

/** A service whose instances stop, some of them without having been told. */
function stopping(untold: number): ServiceState {
  const world = createWorld()
  world.withStable()
  const state = world.state()
  const sets = state.sets.map((set) => ({
    ...set,
    instances: set.instances.map((one, index) => ({
      ...one,
      state: 'stopping' as const,
      lastProbeFailure: index < untold ? failure : null,
    })),
  }))
  return { ...state, sets }
}
const partsOf = (state: ServiceState) => Object.keys(state.troubles)

describe('workers that could not be told to take no new work', () => {
  it('are said once for each release, with what failed and how many there are', () => {
    const state = stopping(2)
    const [seen, ...more] = seeUntold(state, 10)
    expect([seen?.kind, more]).toEqual(['trouble-seen', []])
    expect(seen).toMatchObject({
      problem: {
        code: 'QUIESCE_FAILED',
        message: expect.stringMatching(
          /^1\.0\.0 was stopped without warning: \S+ \(and 1 more\): it could not be told: \.\/drain\.sh: ended with code 3\.$/,
        ),
      },
    })
    const after = evolveAll(state, seeUntold(state, 10))
    expect([partsOf(after), seeUntold(after, 11)]).toEqual([['quiesce 1.0.0-r'], []])
  })

  it('are no trouble any more once they are gone', () => {
    const after = evolveAll(stopping(1), seeUntold(stopping(1), 10))
    const gone = { ...after, sets: [] }
    expect(partsOf(evolveAll(gone, seeUntold(gone, 20)))).toEqual([])
  })

  it('are nothing where all were told', () => {
    expect(seeUntold(stopping(0), 10)).toEqual([])
  })
})
