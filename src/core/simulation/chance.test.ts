import { describe, expect, it } from 'vitest'
import { LATENCY_BOUNDS_MS, LATENCY_BUCKETS, quantileMs } from '../shared/histogram.ts'
import { binomial, chanceOf, poisson } from './chance.ts'
import { bucketShares, dealt } from './latency.ts'
import { type Script, sideAt } from './script.ts'

const DRAWS = 4000
function momentsOf(draw: () => number): { mean: number; variance: number } {
  const all = Array.from({ length: DRAWS }, draw)
  const mean = all.reduce((sum, value) => sum + value, 0) / DRAWS
  return { mean, variance: all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / DRAWS }
}

describe('chance', () => {
  it.each([
    [20, 0.01],
    [20, 0.4],
    [500, 0.001],
    [500, 0.3],
    [500, 0.97],
  ])('gives %i things with a chance of %d their mean and their spread', (count, share) => {
    const chance = chanceOf(7)
    const { mean, variance } = momentsOf(() => binomial(chance, count, share))
    const expected = count * share
    expect(Math.abs(mean - expected)).toBeLessThan(0.1 + 0.05 * expected)
    expect(Math.abs(variance - expected * (1 - share))).toBeLessThan(0.1 + 0.12 * expected)
  })

  it.each([0.2, 5, 200])('gives %d arrivals their mean and their spread', (mean) => {
    const chance = chanceOf(3)
    const seen = momentsOf(() => poisson(chance, mean))
    expect(Math.abs(seen.mean - mean)).toBeLessThan(0.05 + 0.05 * mean)
    expect(Math.abs(seen.variance - mean)).toBeLessThan(0.1 + 0.12 * mean)
  })

  it('never gives more than there are, nor less than nothing', () => {
    const chance = chanceOf(1)
    for (const [count, share] of [
      [0, 0.5],
      [5, 0],
      [5, 1],
      [3, 0.999],
    ] as const) {
      const drawn = binomial(chance, count, share)
      expect(drawn).toBeGreaterThanOrEqual(share === 1 ? count : 0)
      expect(drawn).toBeLessThanOrEqual(share === 0 ? 0 : count)
    }
    expect(poisson(chance, 0)).toBe(0)
  })
})

describe('latency', () => {
  it.each([
    [40, 200],
    [3, 9],
    [900, 4000],
  ])('has the quantiles that were asked for: %d and %d ms', (p50Ms, p99Ms) => {
    const buckets = dealt(chanceOf(1), 1_000_000, bucketShares({ p50Ms, p99Ms }))
    expect(buckets).toHaveLength(LATENCY_BUCKETS)
    expect(buckets.reduce((sum, count) => sum + count, 0)).toBe(1_000_000)
    // A histogram knows a quantile as exactly as its buckets are narrow.
    const bound = (ms: number): number => LATENCY_BOUNDS_MS.find((one) => one >= ms) ?? 30_000
    expect(bound(quantileMs(buckets, 0.5) ?? 0)).toBe(bound(p50Ms))
    expect(bound(quantileMs(buckets, 0.98) ?? 0)).toBeLessThanOrEqual(bound(p99Ms))
    expect(quantileMs(buckets, 0.999) ?? 0).toBeGreaterThan(p99Ms * 0.9)
  })
})

describe('a script', () => {
  const script: Script = {
    seed: 1,
    people: [],
    parts: [
      { fromMs: 0, toMs: null, stable: {}, candidate: { errorRatePercent: 1, p50Ms: 10 } },
      { fromMs: 1000, toMs: 2000, stable: {}, candidate: { errorRatePercent: 5 } },
    ],
  }

  it('is what the last part says that holds; what nobody says has its default', () => {
    expect(sideAt(script, 'candidate', 0)).toEqual({
      errorRatePercent: 1,
      p50Ms: 10,
      p99Ms: 50,
      startMs: 2000,
    })
    expect(sideAt(script, 'candidate', 1000)).toMatchObject({ errorRatePercent: 5, p50Ms: 10 })
    expect(sideAt(script, 'candidate', 2000)).toMatchObject({ errorRatePercent: 1 })
    expect(sideAt(script, 'stable', 1500)).toMatchObject({ errorRatePercent: 0, p50Ms: 40, p99Ms: 200 })
  })
})
