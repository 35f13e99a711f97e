import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Split, seededRandom } from './split.ts'

const weights = fc
  .array(fc.integer({ min: 0, max: 1_000 }), { minLength: 0, maxLength: 4 })
  .map((cuts) => [0, ...cuts.sort((a, b) => a - b), 1_000])
  .map((edges) => edges.slice(1).map((edge, at) => edge - (edges[at] ?? 0)))

describe('split', () => {
  it('gives every set exactly its share of each block of 1,000', () => {
    fc.assert(
      fc.property(weights, fc.uint8Array({ minLength: 16, maxLength: 16 }), (shares, seed) => {
        const split = new Split(shares, seededRandom(Buffer.from(seed)))
        for (let block = 0; block < 3; block += 1) {
          const dealt = shares.map(() => 0)
          for (let turn = 0; turn < 1_000; turn += 1) {
            const index = split.next()
            dealt[index] = (dealt[index] ?? 0) + 1
          }
          expect(dealt).toEqual(shares)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('deals in another order each time', () => {
    const order = () => {
      const split = new Split([500, 500])
      return Array.from({ length: 100 }, () => split.next()).join('')
    }
    expect(new Set([order(), order(), order()]).size).toBe(3)
  })

  it('spreads a small share over the block instead of bunching it', () => {
    const split = new Split([950, 50])
    const positions = Array.from({ length: 1_000 }, (_, at) => (split.next() === 1 ? at : -1)).filter(
      (at) => at >= 0,
    )
    const mean = positions.reduce((sum, at) => sum + at, 0) / positions.length
    expect(mean).toBeGreaterThan(250)
    expect(mean).toBeLessThan(750)
  })

  it('refuses weights that do not add up', () => {
    expect(() => new Split([500, 499])).toThrow('999')
  })
})
