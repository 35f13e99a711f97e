import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LONGEST_RETRY_MS } from '../ports/store.ts'
import { nextDelayMs, retryDelaysMs } from './outbox-schedule.ts'

describe('the schedule of attempts', () => {
  it('goes 5 s, 30 s, 2 m, 10 m, 1 h, then every 6 h', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7].map((attempts) => nextDelayMs({ attempts, random: 0.5 }))
    expect(delays).toEqual([5_000, 30_000, 120_000, 600_000, 3_600_000, 21_600_000, 21_600_000])
  })

  it('gives up after about three days', () => {
    const days = retryDelaysMs.reduce((total, delay) => total + delay, 0) / 86_400_000
    expect(days).toBeGreaterThan(2.9)
    expect(days).toBeLessThan(3.2)
    expect(nextDelayMs({ attempts: retryDelaysMs.length, random: 0 })).not.toBe(null)
    expect(nextDelayMs({ attempts: retryDelaysMs.length + 1, random: 0 })).toBe(null)
  })

  it('never comes back sooner than the receiver asked', () => {
    expect(nextDelayMs({ attempts: 1, random: 0.5, retryAfterMs: 60_000 })).toBe(60_000)
    expect(nextDelayMs({ attempts: 4, random: 0.5, retryAfterMs: 60_000 })).toBe(600_000)
  })

  it('never waits longer than a store takes for a wrong clock', () => {
    expect(nextDelayMs({ attempts: 1, random: 0.5, retryAfterMs: 2 * LONGEST_RETRY_MS })).toBe(
      LONGEST_RETRY_MS,
    )
    expect(1.2 * Math.max(...retryDelaysMs)).toBeLessThan(LONGEST_RETRY_MS)
  })

  it('stays within a fifth of the plan, whatever the random value', () => {
    const attempts = fc.integer({ min: 1, max: retryDelaysMs.length })
    fc.assert(
      fc.property(attempts, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (n, random) => {
        const planned = retryDelaysMs[n - 1] ?? 0
        const delay = nextDelayMs({ attempts: n, random }) ?? -1
        expect(Math.abs(delay - planned)).toBeLessThanOrEqual(planned * 0.2 + 1)
      }),
    )
  })
})
