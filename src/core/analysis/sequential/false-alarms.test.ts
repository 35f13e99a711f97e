import { describe, expect, it } from 'vitest'
import { chance, draw, wobble } from '../chance.test.fixture.ts'
import type { Batch } from './batch.ts'
import { dispersionOf } from './dispersion.ts'
import { Metric } from './metric.ts'
import { addBatch, newState, type SequentialState, verdictOf } from './state.ts'

// Seeded, so that they say the same each time. What is proven is the bound; these catch code that breaks it.

const strict = Metric.parse({ name: 'errors', kind: 'ratio', tolerance: { points: 0 } })
const LOOKS = 180

type World = { looks: number; next: (random: () => number, look: number) => Batch }

const pair = (x: number, n: number, y: number, m: number): Batch => ({
  candidate: { bad: x, total: n },
  stable: { bad: y, total: m },
})

function stateAfter(metric: Metric, { looks, next }: World, random: () => number): SequentialState {
  let state = newState()
  for (let look = 0; look < looks; look += 1) state = addBatch(metric, state, next(random, look))
  return state
}

/** How often a candidate was found worse at any look, among so many rollouts. */
function alarms(metric: Metric, world: World, runs: number): number {
  const random = chance(20_261_121)
  let found = 0
  for (let run = 0; run < runs; run += 1) {
    const state = stateAfter(metric, world, random)
    if (verdictOf(metric, state, 0.01).verdict === 'worse') found += 1
  }
  return found
}

const sameRate = (rate: number, m: number): World => ({
  looks: LOOKS,
  next: (random) => pair(draw(random, 200, rate), 200, draw(random, m, rate), m),
})

describe('a healthy candidate is found worse in fewer than alpha of rollouts', () => {
  it.each([0.001, 0.005, 0.01])('looked at 180 times at a base rate of %f, tolerance 0', (rate) => {
    expect(alarms(strict, sameRate(rate, 200), 200)).toBeLessThanOrEqual(2)
    expect(alarms(strict, sameRate(rate, 1800), 100)).toBeLessThanOrEqual(1)
  })

  it('through a shared outage, and while weights rise as the service gets worse', () => {
    const outage: World = {
      looks: LOOKS,
      next: (random, look) => {
        const rate = look > 60 && look < 90 ? 0.05 : 0.001
        return pair(draw(random, 200, rate), 200, draw(random, 200, rate), 200)
      },
    }
    const steps = [
      { n: 20, m: 380, rate: 0.002 },
      { n: 100, m: 300, rate: 0.005 },
      { n: 200, m: 200, rate: 0.012 },
    ]
    const rising: World = {
      looks: LOOKS,
      next: (random, look) => {
        const { n, m, rate } = steps[Math.floor((look * steps.length) / LOOKS)] ?? { n: 1, m: 1, rate: 0 }
        return pair(draw(random, n, rate), n, draw(random, m, rate), m)
      },
    }
    expect(alarms(strict, outage, 100)).toBeLessThanOrEqual(1)
    expect(alarms(strict, rising, 100)).toBeLessThanOrEqual(1)
  })

  it('by a histogram whose buckets hang together', () => {
    const latency = Metric.parse({
      name: 'latency',
      kind: 'histogram',
      bounds: [50, 100, 200, 500],
      tolerance: { points: 0 },
    })
    const weights = [0.3, 0.4, 0.2, 0.08]
    const counts = (random: () => number, total: number): number[] => {
      let left = total
      let mass = 1
      const filled = weights.map((weight) => {
        const count = draw(random, left, weight / mass)
        left -= count
        mass -= weight
        return count
      })
      return [...filled, left]
    }
    const world: World = {
      looks: 40,
      next: (random) => ({
        candidate: { counts: counts(random, 100) },
        stable: { counts: counts(random, 100) },
      }),
    }
    expect(alarms(latency, world, 200)).toBeLessThanOrEqual(2)
  })

  it('when rates wobble by themselves, with the dispersion of an hour of the baseline; without it far more often', () => {
    const rate = 0.01
    const cv = 1
    const minute = (random: () => number): number =>
      draw(random, 1200, Math.min(1, rate * wobble(random, cv)))
    const world: World = { looks: 30, next: (random) => pair(minute(random), 1200, minute(random), 1200) }
    const random = chance(7)
    const dispersion = dispersionOf(Array.from({ length: 60 }, () => minute(random)))
    const corrected = Metric.parse({ ...strict, dispersion })
    expect(dispersion).toBeGreaterThan(5)
    expect(alarms(corrected, world, 200)).toBeLessThanOrEqual(4)
    expect(alarms(strict, world, 200)).toBeGreaterThan(40)
  })
})

describe('a bad candidate', () => {
  it('that fails 1 point more is found within 60 seconds at 20 requests per second, and never ruled out', () => {
    const random = chance(99)
    const looks: number[] = []
    let wrong = 0
    for (let run = 0; run < 101; run += 1) {
      let state = newState()
      let look = 0
      for (; look < LOOKS && verdictOf(strict, state, 0.01).verdict !== 'worse'; look += 1) {
        if (verdictOf(strict, state, 0.01).verdict === 'not-worse') wrong += 1
        state = addBatch(strict, state, pair(draw(random, 200, 0.011), 200, draw(random, 200, 0.001), 200))
      }
      looks.push(look)
    }
    // 10 seconds and 200 requests a look.
    expect(looks.toSorted((a, b) => a - b)[50]).toBeLessThanOrEqual(6)
    expect(wrong).toBeLessThanOrEqual(2)
  })

  it('is ruled out for a good one at 1% within 130 seconds', () => {
    const random = chance(3)
    const looks = Array.from({ length: 101 }, () => {
      let state = newState()
      let look = 0
      for (; look < LOOKS && verdictOf(strict, state, 0.01).verdict !== 'not-worse'; look += 1)
        state = addBatch(strict, state, pair(draw(random, 200, 0.01), 200, draw(random, 200, 0.01), 200))
      return look
    })
    expect(looks.toSorted((a, b) => a - b)[50]).toBeLessThanOrEqual(13)
  })
})
