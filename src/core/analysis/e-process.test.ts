import { describe, expect, it } from 'vitest'
import type { SideCount, Tolerance } from './e-process.ts'
import { logMeanExp, logTermsAgainstLimit, logTermsAgainstStable, lowerBoundOfRate } from './e-process.ts'

/** Chance of each number of bad ones among n, exactly. */
function binomial(n: number, rate: number): number[] {
  let chances = [1]
  for (let drawn = 0; drawn < n; drawn += 1) {
    const next = new Array<number>(drawn + 2).fill(0)
    chances.forEach((chance, bad) => {
      next[bad] = (next[bad] ?? 0) + chance * (1 - rate)
      next[bad + 1] = (next[bad + 1] ?? 0) + chance * rate
    })
    chances = next
  }
  return chances
}

const evidence = (terms: readonly number[]): number => Math.exp(logMeanExp(terms))

function expectedAgainstLimit(total: number, rate: number, limit: number): number {
  return binomial(total, rate).reduce(
    (sum, chance, bad) => sum + chance * evidence(logTermsAgainstLimit({ bad, total }, limit)),
    0,
  )
}

function expectedAgainstStable(
  sizes: { n: number; m: number },
  rates: { candidate: number; stable: number },
  tolerance: Tolerance,
): number {
  const stable = binomial(sizes.m, rates.stable)
  return binomial(sizes.n, rates.candidate).reduce((sum, chance, bad) => {
    const side = (count: number, total: number): SideCount => ({ bad: count, total })
    const inner = stable.reduce(
      (inside, other, bads) =>
        inside +
        other *
          evidence(
            logTermsAgainstStable({ candidate: side(bad, sizes.n), stable: side(bads, sizes.m) }, tolerance),
          ),
      0,
    )
    return sum + chance * inner
  }, 0)
}

describe('evidence against a limit', () => {
  it('has an expectation of at most one at and under the limit, by enumeration', () => {
    for (const total of [1, 2, 5, 20]) {
      for (const limit of [0.01, 0.05, 0.3]) {
        for (const share of [0, 0.5, 1])
          expect(expectedAgainstLimit(total, limit * share, limit)).toBeLessThanOrEqual(1 + 1e-12)
      }
    }
  })

  it('grows above one where the limit is broken', () => {
    expect(expectedAgainstLimit(20, 0.2, 0.05)).toBeGreaterThan(2)
  })
})

describe('evidence against stable', () => {
  it('has an expectation of at most one under the null for every split and tolerance, by enumeration', () => {
    for (const sizes of [
      { n: 1, m: 1 },
      { n: 3, m: 12 },
      { n: 8, m: 8 },
      { n: 12, m: 3 },
    ]) {
      for (const tolerance of [
        { ratio: 1, share: 0 },
        { ratio: 1, share: 0.001 },
        { ratio: 1.5, share: 0 },
        { ratio: 1.5, share: 0.01 },
      ]) {
        for (const stable of [0.001, 0.05, 0.4]) {
          const candidate = Math.min(1, tolerance.ratio * stable + tolerance.share)
          expect(expectedAgainstStable(sizes, { candidate, stable }, tolerance)).toBeLessThanOrEqual(
            1 + 1e-12,
          )
        }
      }
    }
  })

  it('says nothing where one side had no request', () => {
    const none = { bad: 0, total: 0 }
    expect(
      logTermsAgainstStable({ candidate: { bad: 9, total: 9 }, stable: none }, { ratio: 1, share: 0 }),
    ).toEqual(new Array(7).fill(0))
  })
})

describe('the average of evidence', () => {
  it('is exact for large and for empty values', () => {
    expect(logMeanExp([1000, 1000])).toBe(1000)
    expect(logMeanExp([2000, Number.NEGATIVE_INFINITY])).toBeCloseTo(2000 - Math.log(2), 9)
  })
})

describe('the lower bound of a rate', () => {
  it('lies under the rate seen, and at zero when nothing bad was seen', () => {
    expect(lowerBoundOfRate({ bad: 0, total: 1000 }, 0.01)).toBe(0)
    const bound = lowerBoundOfRate({ bad: 50, total: 1000 }, 0.01)
    expect(bound).toBeGreaterThan(0.02)
    expect(bound).toBeLessThan(0.05)
  })
})
