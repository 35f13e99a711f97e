import { describe, expect, it } from 'vitest'
import { numberIn, spark, sparkAgainst } from './spark.ts'

describe('spark', () => {
  it('draws the last values from zero on, with air above a steady line', () => {
    expect(spark([0, 0, 0])).toBe('▁▁▁')
    expect(spark([5, 5, 5])).toBe('▆▆▆')
    expect(spark([0, 10])).toBe('▁▆')
    expect(spark(Array.from({ length: 50 }, () => 1))).toHaveLength(20)
  })

  it('shows nothing for a single value', () => {
    expect(spark([])).toBe('')
    expect(spark([4])).toBe('')
  })

  it('draws a curve against a limit that only a full bar has reached', () => {
    expect(sparkAgainst([-3, 0, 5, 9.9, 10, 400], 10)).toBe('▁▁▄▇██')
    expect(sparkAgainst([], 10)).toBe('')
    const long = Array.from({ length: 1000 }, (_, index) => (index === 500 ? 10 : 0))
    expect(sparkAgainst(long, 10)).toBe('▁▁▁▁▁▁▁▁▁▁█▁▁▁▁▁▁▁▁▁')
  })

  it('reads the number of a value as it is shown', () => {
    expect(numberIn('0.42%')).toBe(0.42)
    expect(numberIn('1,200 ms')).toBe(1200)
    expect(numberIn('no data')).toBeNull()
  })
})
