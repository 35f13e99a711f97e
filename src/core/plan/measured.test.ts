import { describe, expect, it } from 'vitest'
import { measuredWayBack, median } from './measured.ts'

describe('what was measured', () => {
  it('has a middle, the larger one of two, and none of nothing', () => {
    expect(median([])).toBeNull()
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 3, 2])).toBe(3)
  })

  it('says how many ways back there were, their median and the worst', () => {
    expect(measuredWayBack([])).toBe('')
    expect(measuredWayBack([51])).toBe('; measured once: 51ms')
    expect(measuredWayBack([40, 120, 51])).toBe('; measured in the last 3: median 51ms, worst 120ms')
  })
})
