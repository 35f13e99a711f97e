import { describe, expect, it } from 'vitest'
import { placeOf } from './ratio-scale.ts'

describe('the place of a ratio', () => {
  it('is the middle for just as often, and as far to each side for as many times more or less', () => {
    expect(placeOf(1)).toBe(50)
    expect(placeOf(2)).toBeCloseTo(75)
    expect(placeOf(0.5)).toBeCloseTo(25)
  })

  it('stays on the scale', () => {
    expect([placeOf(0), placeOf(1000), placeOf(null)]).toEqual([0, 100, 100])
  })
})
