import { describe, expect, it } from 'vitest'
import { chance, draw, wobble } from '../chance.test.fixture.ts'
import { dispersionBetween, dispersionFor, dispersionOf, type Share } from './dispersion.ts'

const share = (events: number, exposure = 1): Share => ({ events, exposure })

describe('the dispersion', () => {
  it('is variance over mean of the counts, and at least 1', () => {
    // Mean 4, squared differences 4 + 25 + 16 + 1 = 46, over 3.
    expect(dispersionOf([2, 9, 0, 5])).toBeCloseTo(46 / 3 / 4, 12)
    expect(dispersionOf([4, 4, 4, 4])).toBe(1)
    expect(dispersionOf([0, 0, 0])).toBe(1)
    expect(dispersionOf([7])).toBe(1)
    expect(dispersionOf([])).toBe(1)
  })

  it('is near 1 for independent requests, and near 1 + mean * cv^2 when the rate wobbles', () => {
    const random = chance(1)
    const steady = Array.from({ length: 400 }, () => draw(random, 1200, 0.01))
    expect(dispersionOf(steady)).toBeLessThan(1.2)
    const wobbling = Array.from({ length: 400 }, () => draw(random, 1200, 0.01 * wobble(random, 0.5)))
    expect(dispersionOf(wobbling)).toBeGreaterThan(3)
    expect(dispersionOf(wobbling)).toBeLessThan(5)
  })

  it('between instances does not count what all of them share', () => {
    const together = [
      [share(1), share(2), share(1)],
      [share(50), share(49), share(52)],
      [share(0), share(0), share(0)],
    ]
    expect(dispersionBetween(together)).toBe(1)
    const apart = [
      [share(1), share(30), share(2)],
      [share(25), share(3), share(0)],
    ]
    expect(dispersionBetween(apart)).toBeGreaterThan(10)
    // An instance with twice the requests may have twice the errors.
    expect(dispersionBetween([[share(20, 2), share(10, 1)]])).toBe(1)
    expect(dispersionBetween([])).toBe(1)
  })
})

describe('the dispersion of a rollout', () => {
  const random = chance(2)
  const minutes = (many: number, cv: number): Share[] =>
    Array.from({ length: many }, () => ({
      events: draw(random, 1200, cv === 0 ? 0.01 : 0.01 * wobble(random, cv)),
      exposure: 1200,
    }))

  it('is that of an hour of the baseline as it is', () => {
    const hour = minutes(60, 0.5)
    const dispersion = dispersionFor(hour, minutes(9, 1))
    expect(dispersion).toMatchObject({ evidence: 'full', minutes: 60 })
    expect(dispersion.phi).toBeCloseTo(dispersionOf(hour.map(({ events }) => events)), 12)
  })

  it('is a factor of 2 at the beginning of a service that has none', () => {
    expect(dispersionFor([], [])).toEqual({ phi: 2, evidence: 'weaker', minutes: 0 })
    expect(dispersionFor([], minutes(3, 0)).phi).toBeGreaterThanOrEqual(2)
  })

  it('is an upper limit from the minutes of the rollout until then', () => {
    const counted = Array.from({ length: 200 }, () => dispersionFor([], minutes(15, 0.5)))
    // The truth is 1 + 12 / 4 = 4; one guess in ten may lie below.
    const below = counted.filter(({ phi }) => phi < 4).length
    expect(below).toBeLessThan(50)
    expect(counted[0]).toMatchObject({ evidence: 'weaker', minutes: 15 })
    const calm = dispersionFor(minutes(20, 0), minutes(20, 0)).phi
    expect(calm).toBeLessThan(2.2)
  })

  it('does not take a level that moved since the baseline for spread', () => {
    const low = [5, 6, 4, 5, 6, 4].map((events) => share(events))
    const high = [50, 51, 49, 50, 52, 48].map((events) => share(events))
    expect(dispersionFor(low, high).phi).toBe(1)
  })
})
