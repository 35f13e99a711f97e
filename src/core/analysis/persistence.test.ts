import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addObservation, badOnes, isPersistent, MOST_REMEMBERED, Persistence } from './persistence.ts'

const limits = fc
  .tuple(fc.integer({ min: 1, max: MOST_REMEMBERED }), fc.integer({ min: 1, max: MOST_REMEMBERED }))
  .map(([a, b]) => ({ limit: Math.min(a, b), of: Math.max(a, b) }))

describe('a failure limit', () => {
  it('takes so many bad ones of the last ones', () => {
    expect(isPersistent([true, false, true, true], { limit: 3, of: 5 })).toBe(true)
    expect(isPersistent([true, true, false, false, true, true], { limit: 3, of: 4 })).toBe(false)
  })

  it('forgets what no longer counts, and decides as if it remembered all', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 300 }), limits, (all, limit) => {
        const seen = all.reduce<Persistence>((known, isBad) => addObservation(known, isBad, limit), [])
        expect(seen.length).toBeLessThanOrEqual(limit.of)
        expect(Persistence.safeParse(seen).success).toBe(true)
        expect(badOnes(seen, limit.of)).toBe(all.slice(-limit.of).filter((isBad) => isBad).length)
        expect(isPersistent(seen, limit)).toBe(isPersistent(all, limit))
      }),
    )
  })
})
