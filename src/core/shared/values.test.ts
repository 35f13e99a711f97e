import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from './duration.ts'
import { bucketOf, countSlowerThan, LATENCY_BOUNDS_MS, LATENCY_BUCKETS, quantileMs } from './histogram.ts'
import { compareTokens } from './token.ts'
import { formatWeight } from './weight.ts'

const empty = (): number[] => new Array<number>(LATENCY_BUCKETS).fill(0)

describe('durations', () => {
  it('are read with their units, and refused otherwise', () => {
    expect(['250ms', '30s', '10m', '1h30m', '2d', '1.5s'].map(parseDuration)).toEqual([
      250, 30_000, 600_000, 5_400_000, 172_800_000, 1500,
    ])
    for (const text of ['', '10', 'm', '-5s', '5 s', '1h x', '1e3s']) expect(parseDuration(text)).toBeNull()
  })

  it('come back from their text in at most two units, never too long', () => {
    const property = fc.property(fc.integer({ min: 0, max: 40 * 86_400_000 }), (ms) => {
      const back = parseDuration(formatDuration(ms)) ?? Number.NaN
      expect(back).toBeLessThanOrEqual(ms)
      expect(ms - back).toBeLessThan(Math.max(100, ms / 24))
    })
    fc.assert(property)
  })

  it('never show a thousand milliseconds or sixty seconds', () => {
    expect([0, 999.6, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000].map(formatDuration)).toEqual([
      '0ms',
      '1s',
      '59.9s',
      '1m',
      '59m59s',
      '1h',
      '1d',
    ])
  })
})

describe('weights', () => {
  it('read as short percentages', () => {
    expect([0, 1, 5, 50, 333, 1000].map(formatWeight)).toEqual(['0%', '0.1%', '0.5%', '5%', '33.3%', '100%'])
  })
})

describe('fencing tokens', () => {
  it('go by epoch first, then by sequence, and repeats are equal', () => {
    const token = (epoch: number, sequence: number) => ({ epoch, sequence, rollout: null })
    expect(compareTokens(token(1, 9), token(2, 1))).toBeLessThan(0)
    expect(compareTokens(token(2, 3), token(2, 1))).toBeGreaterThan(0)
    expect(compareTokens(token(2, 3), { ...token(2, 3), rollout: 'r' })).toBe(0)
  })
})

describe('latency buckets', () => {
  it('count a request at its bound as not slower', () => {
    for (const bound of LATENCY_BOUNDS_MS) {
      const buckets = empty()
      buckets[bucketOf(bound)] = 1
      expect(countSlowerThan(buckets, bound)).toBe(0)
      const slower = empty()
      slower[bucketOf(bound + 0.1)] = 1
      expect(countSlowerThan(slower, bound)).toBe(1)
    }
    expect(() => countSlowerThan(empty(), 42)).toThrow(RangeError)
  })

  it('give quantiles inside the bucket that holds them, and the last bound for the open one', () => {
    expect(quantileMs(empty(), 0.5)).toBeNull()
    expect(quantileMs(empty().with(bucketOf(60), 100), 0.5)).toBe(62.5)
    expect(quantileMs(empty().with(bucketOf(60), 100), 1)).toBe(75)
    expect(quantileMs(empty().with(LATENCY_BUCKETS - 1, 3), 0.5)).toBe(30_000)
    const property = fc.property(
      fc.array(fc.nat(50), { minLength: LATENCY_BUCKETS, maxLength: LATENCY_BUCKETS }),
      (buckets) => {
        const shares = [0.1, 0.5, 0.9, 0.99].map((share) => quantileMs(buckets, share) ?? 0)
        expect(shares).toEqual([...shares].sort((a, b) => a - b))
      },
    )
    fc.assert(property)
  })
})
