import { describe, expect, it } from 'vitest'
import {
  addSaying,
  foundError,
  logThresholdOf,
  type NewError,
  splitOf,
  type WorkSplit,
} from './new-errors.ts'

const BOUND = { atLeast: 3, alpha: 0.01 / 3 }
const SAID = { template: 'no stock', example: 'no stock', count: 1, firstAt: 0, lastAt: 0 }

const fresh = (rank = 1): NewError => foundError('k', SAID, rank)
const say = (error: NewError, split: WorkSplit | null, by = 1): NewError =>
  addSaying(error, { count: error.count + by, lastAt: 0 }, { at: 7, split, bound: BOUND })

/** How often it must be written until it is shown. */
function timesUntilShown(split: WorkSplit, rank = 1): number {
  let error = fresh(rank)
  let times = 0
  for (; error.crossedAt === null && times < 1000; times += 1) error = say(error, split)
  return times
}

describe('a new error', () => {
  it.each([
    [{ candidate: 5, stable: 95 }, 3],
    [{ candidate: 25, stable: 75 }, 6],
    [{ candidate: 50, stable: 50 }, 11],
  ])(
    'is shown after so many intervals, the fewer the smaller the part of the candidate is (%j)',
    (split, times) => {
      expect(timesUntilShown(split)).toBe(times)
    },
  )

  it('is never shown while stable does nothing, nor by one interval however much is written in it', () => {
    let error = fresh()
    for (let time = 0; time < 1000; time += 1) error = say(error, null)
    expect(error).toMatchObject({ count: 1000, crossedAt: null })
    expect(say(fresh(), { candidate: 5, stable: 95 }, 10_000).crossedAt).toBeNull()
  })

  it('needs more evidence the later it is found, and all ranks together spend one budget', () => {
    expect(timesUntilShown({ candidate: 50, stable: 50 }, 10)).toBeGreaterThan(11)
    const spent = Array.from({ length: 10_000 }, (_, rank) =>
      Math.exp(-logThresholdOf({ rank: rank + 1 }, 0.01)),
    )
    expect(spent.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(0.01)
  })

  it('stays shown', () => {
    let error = fresh()
    for (let time = 0; time < 20; time += 1) error = say(error, { candidate: 5, stable: 95 })
    expect(say(error, null).crossedAt).toBe(7)
  })

  it('is rarely shown where both write it alike, before stable happens to write it', () => {
    let chance = 20_261_121
    const random = (): number => {
      chance = (chance * 48_271) % 2_147_483_647
      return chance / 2_147_483_647
    }
    const split = { candidate: 5, stable: 95 }
    let shown = 0
    for (let run = 0; run < 20_000; run += 1) {
      let error = fresh()
      // Each writing falls on a version in proportion to its work; the first one of stable ends it.
      while (random() < 0.05 && error.crossedAt === null) error = say(error, split)
      if (error.crossedAt !== null) shown += 1
    }
    expect(shown / 20_000).toBeLessThanOrEqual(BOUND.alpha)
  })
})

describe('the split of the work', () => {
  it('is the one that weighs an error least', () => {
    expect(splitOf({ candidate: 5, stable: 95 }, { candidate: 2, stable: 2 })).toEqual({
      candidate: 2,
      stable: 2,
    })
    expect(splitOf({ candidate: 50, stable: 50 }, { candidate: 1, stable: 9 })).toEqual({
      candidate: 50,
      stable: 50,
    })
  })

  it('is unknown when all of the work is on one side', () => {
    expect(splitOf({ candidate: 100, stable: 0 }, { candidate: 2, stable: 2 })).toBeNull()
    expect(splitOf({ candidate: 0, stable: 100 }, { candidate: 0, stable: 2 })).toBeNull()
  })
})
