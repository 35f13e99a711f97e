import { describe, expect, it } from 'vitest'
import { bucketOf, LATENCY_BUCKETS } from '../shared/histogram.ts'
import type { SideCounts } from './batch.ts'
import { addToMinutes, dispersionsAt, NO_SPREADS, noMinutes, spreadsOf } from './stable-minutes.ts'

const MINUTE_MS = 60_000

const side = (requests: number, errors: number, slow = 0): SideCounts => {
  const latencyBuckets = new Array<number>(LATENCY_BUCKETS).fill(0)
  latencyBuckets[bucketOf(10)] = requests - slow
  latencyBuckets[bucketOf(900)] = slow
  return { requests, errors, latencyBuckets }
}

/** One look in each minute. */
const minutesOf = (errors: readonly number[], slow: readonly number[] = []) =>
  errors.reduce(
    (known, count, index) => addToMinutes(known, side(1000, count, slow[index] ?? 0), index * MINUTE_MS),
    noMinutes(),
  )

const swinging = Array.from({ length: 61 }, (_, index) => (index % 2 === 0 ? 0 : 20))
const even = Array.from({ length: 61 }, () => 10)

describe('the minutes of stable', () => {
  it('add up what was counted within one minute, and keep an hour', () => {
    const twice = addToMinutes(addToMinutes(noMinutes(), side(100, 1), 1000), side(50, 2), 59_999)
    expect(twice.minutes).toMatchObject([{ number: 0, requests: 150, errors: 3 }])
    expect(minutesOf(Array.from({ length: 90 }, () => 1)).minutes.map(({ number }) => number)).toEqual(
      Array.from({ length: 60 }, (_, index) => index + 30),
    )
  })

  it('choose the bound for slow ones once, from what came before, and never count what chose it', () => {
    const known = minutesOf([0, 0], [10, 900])
    expect(known.boundMs).toBe(10)
    expect(known.minutes).toMatchObject([
      { timed: 0, slow: 0 },
      { timed: 1000, slow: 900 },
    ])
  })

  it('go on in the newest minute when a clock was set back', () => {
    const known = addToMinutes(minutesOf([1, 1, 1]), side(10, 5), 0)
    expect(known.minutes.map(({ number, errors }) => [number, errors])).toEqual([
      [0, 1],
      [1, 1],
      [2, 6],
    ])
  })

  it('say nothing about a time without requests', () => {
    expect(addToMinutes(noMinutes(), side(0, 0), 0)).toEqual(noMinutes())
  })
})

describe('what the evidence is divided by', () => {
  const at = 61 * MINUTE_MS

  it('is one where an hour shows counts like those of independent requests', () => {
    const { errors } = dispersionsAt(spreadsOf(minutesOf(even), at), noMinutes(), at)
    expect(errors).toEqual({ phi: 1, evidence: 'full', minutes: 60 })
  })

  it('is more where errors come and go by themselves', () => {
    const { errors, latency } = dispersionsAt(spreadsOf(minutesOf(swinging), at), noMinutes(), at)
    expect(errors.evidence).toBe('full')
    expect(errors.phi).toBeGreaterThan(9)
    expect(latency.phi).toBe(1)
  })

  it('is weaker evidence from the minutes of the rollout alone, and guessed high when there are hardly any', () => {
    const none = dispersionsAt(NO_SPREADS, noMinutes(), 0)
    expect(none.errors).toEqual({ phi: 2, evidence: 'weaker', minutes: 0 })
    const ten = dispersionsAt(NO_SPREADS, minutesOf(swinging.slice(0, 11)), 10 * MINUTE_MS)
    expect(ten.errors).toMatchObject({ evidence: 'weaker', minutes: 10 })
    expect(ten.errors.phi).toBeGreaterThan(9)
  })

  it('knows nothing of the minute that goes on: it was fixed before the batch', () => {
    const known = minutesOf([1, 1, 500])
    expect(spreadsOf(known, 2 * MINUTE_MS + 30_000).errors.minutes).toBe(2)
    expect(spreadsOf(known, 3 * MINUTE_MS).errors.minutes).toBe(3)
  })
})
