import { describe, expect, it } from 'vitest'
import { seedOf, uniformFrom } from './random.ts'
import { binomial, bucketShares, multinomial, poisson, wobble } from './samplers.ts'

const DRAWS = 40_000

/** Mean and variance must be within 5 standard errors; the normal approximation of both is good enough here. */
function expectMoments(draw: () => number, { mean, variance }: { mean: number; variance: number }): void {
  const values = Array.from({ length: DRAWS }, draw)
  const average = values.reduce((sum, value) => sum + value, 0) / DRAWS
  const spread = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / (DRAWS - 1)
  expect(Math.abs(average - mean)).toBeLessThan(5 * Math.sqrt(variance / DRAWS))
  expect(Math.abs(spread / variance - 1)).toBeLessThan(0.1)
}

describe('the samplers', () => {
  it.each([
    [200, 0.001],
    [1800, 0.05],
    [100, 0.7],
    [100_000, 0.01],
    [3, 1],
  ])('draws the successes of %i trials at %d', (trials, share) => {
    const uniform = uniformFrom(seedOf('binomial'))
    if (share === 1) return expect(binomial(uniform, trials, share)).toBe(trials)
    const variance = trials * share * (1 - share)
    return expectMoments(() => binomial(uniform, trials, share), { mean: trials * share, variance })
  })

  it('has the probabilities of a small binomial', () => {
    const uniform = uniformFrom(seedOf('small'))
    const seen = [0, 0, 0, 0]
    for (let draw = 0; draw < DRAWS; draw += 1) {
      const successes = binomial(uniform, 3, 0.3)
      seen[successes] = (seen[successes] ?? 0) + 1
    }
    const wanted = [0.343, 0.441, 0.189, 0.027]
    const distance = wanted.reduce((sum, p, at) => sum + ((seen[at] ?? 0) - DRAWS * p) ** 2 / (DRAWS * p), 0)
    // Chi-squared with 3 degrees of freedom: above 21.1 in 1 of 10,000.
    expect(distance).toBeLessThan(21.1)
  })

  it.each([0.2, 7, 95])('draws the events of a mean of %d', (mean) => {
    const uniform = uniformFrom(seedOf('poisson'))
    expectMoments(() => poisson(uniform, mean), { mean, variance: mean })
  })

  it.each([0.25, 0.5, 1])('wobbles around 1 with a variation of %d', (variation) => {
    const uniform = uniformFrom(seedOf('gamma'))
    expectMoments(() => wobble(uniform, variation), { mean: 1, variance: variation ** 2 })
  })

  it('puts every draw into one bucket', () => {
    const uniform = uniformFrom(seedOf('multinomial'))
    const counts = multinomial(uniform, 10_000, [0.2, 0.5, 0.3])
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(10_000)
    expect(counts.map((count) => Math.round(count / 1000))).toEqual([2, 5, 3])
  })

  it('knows the shares of log-normal latencies', () => {
    const shares = bucketShares([80, 80 * Math.exp(0.8)], { medianMs: 80, sigma: 0.8 })
    expect(shares.map((share) => share.toFixed(4))).toEqual(['0.5000', '0.3413', '0.1587'])
  })
})

it('draws the same for the same seed, and something else for another', () => {
  const first = uniformFrom(1)
  const again = uniformFrom(1)
  const other = uniformFrom(2)
  const numbers = Array.from({ length: 5 }, () => first())
  expect(Array.from({ length: 5 }, () => again())).toEqual(numbers)
  expect(Array.from({ length: 5 }, () => other())).not.toEqual(numbers)
})
