import { describe, expect, it } from 'vitest'
import { numberIn, spark } from './spark.ts'

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

  it('reads the number of a value as it is shown', () => {
    expect(numberIn('0.42%')).toBe(0.42)
    expect(numberIn('1,200 ms')).toBe(1200)
    expect(numberIn('no data')).toBeNull()
  })
})
