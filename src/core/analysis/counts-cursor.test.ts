import { describe, expect, it } from 'vitest'
import { trafficOf } from '../../testkit/traffic.ts'
import { LATENCY_BUCKETS } from '../shared/histogram.ts'
import type { ServiceCounts } from '../shared/traffic-counts.ts'
import { batchBetween, type CountsCursor, cursorOf } from './counts-cursor.ts'

function counts(
  boot: string,
  releases: Record<string, [requests: number, errors: number]>,
  unroutable = 0,
): ServiceCounts {
  const total = (requests: number, errors: number) =>
    trafficOf({
      requests,
      errors,
      status: { '1xx': 0, '2xx': requests - errors, '3xx': 0, '4xx': 0, '5xx': errors },
      cutOnDrain: errors,
      latencyBuckets: new Array<number>(LATENCY_BUCKETS).fill(0).with(3, requests),
    })
  const list = Object.entries(releases).map(([release, [requests, errors]]) => ({
    release,
    total: total(requests, errors),
    routes: {},
  }))
  return { service: 'shop.local', boot, releases: list, unroutable, refused: 0 }
}

const between = (last: ServiceCounts, next: ServiceCounts) =>
  batchBetween(cursorOf(last, 1), cursorOf(next, 2), { candidate: 'b', stable: 'a' })

describe('the batch between two looks', () => {
  it('is the difference of the counters', () => {
    const batch = between(
      counts('1', { a: [100, 5], b: [10, 1] }, 2),
      counts('1', { a: [150, 6], b: [30, 4] }, 3),
    )
    expect(batch).toMatchObject({
      at: 2,
      sinceAt: 1,
      stable: { requests: 50, errors: 1 },
      candidate: { requests: 20, errors: 3 },
      requests: 70,
      unroutable: 1,
      cutOnDrain: 4,
    })
    expect(batch.candidate.latencyBuckets[3]).toBe(20)
  })

  it('is all that a new data plane counted', () => {
    const batch = between(
      counts('1', { a: [100, 5], b: [10, 1] }, 9),
      counts('2', { a: [40, 1], b: [4, 0] }, 1),
    )
    expect(batch).toMatchObject({
      stable: { requests: 40, errors: 1 },
      candidate: { requests: 4 },
      requests: 44,
      unroutable: 1,
    })
  })

  it('counts a release that is new, and none for one that is missing', () => {
    expect(between(counts('1', { a: [100, 0] }), counts('1', { a: [120, 0], b: [7, 1] }))).toMatchObject({
      candidate: { requests: 7, errors: 1 },
      requests: 27,
    })
    expect(between(counts('1', { a: [100, 0], b: [7, 0] }), counts('1', { a: [120, 0] }))).toMatchObject({
      candidate: { requests: 0 },
      stable: { requests: 20 },
      requests: 20,
    })
  })

  it('takes a counter that fell as one that began anew', () => {
    expect(
      between(counts('1', { a: [100, 0], b: [50, 0] }), counts('1', { a: [110, 0], b: [8, 2] })),
    ).toMatchObject({ candidate: { requests: 8, errors: 2 }, requests: 18 })
  })

  it('survives storage and short lists of buckets', () => {
    const odd = counts('1', { a: [3, 0] })
    odd.releases[0]?.total.latencyBuckets.splice(2)
    expect(cursorOf(odd, 1).releases.a?.latencyBuckets).toHaveLength(LATENCY_BUCKETS)
  })

  it('says the share of the candidate only where it was confirmed all the time', () => {
    const sides = { candidate: 'b', stable: 'a' }
    const at = (when: number, since: number | null, b: number) =>
      cursorOf(counts('1', { a: [when, 0], b: [when, 0] }), when, {
        ...(since === null ? {} : { weights: { since, of: { a: 1000 - b, b } } }),
      })
    const weightBetween = (last: CountsCursor, next: CountsCursor) =>
      batchBetween(last, next, sides).weightPermille
    expect(weightBetween(at(1, 0, 50), at(2, 0, 50))).toBe(50)
    expect(weightBetween(at(1, 0, 50), at(2, 2, 250))).toBeUndefined()
    // It went to another share and back.
    expect(weightBetween(at(1, 0, 0), at(2, 2, 0))).toBeUndefined()
    expect(weightBetween(at(1, null, 50), at(2, 0, 50))).toBeUndefined()
    expect(weightBetween(at(1, 0, 50), at(2, null, 50))).toBeUndefined()
  })

  it('counts crashes since the last look for the hours of the instances, and nothing for those that are gone', () => {
    const sides = { candidate: 'b', stable: 'a' }
    const HOUR_MS = 3_600_000
    const at = (when: number, a: number, b: number) =>
      cursorOf(counts('1', { a: [1, 0], b: [1, 0] }), when, {
        instances: { a: { crashes: a, wanted: 4 }, b: { crashes: b, wanted: 2 } },
      })
    expect(batchBetween(at(0, 3, 1), at(HOUR_MS, 0, 6), sides).crashes).toEqual({
      candidate: { events: 5, exposure: 2 },
      stable: { events: 0, exposure: 4 },
    })
    const unseen = cursorOf(counts('1', { a: [1, 0] }), HOUR_MS)
    expect(batchBetween(at(0, 3, 1), unseen, sides).crashes).toBeUndefined()
  })
})

describe('the batch of several data planes', () => {
  const last = { ...counts('1', { a: [100, 5], b: [10, 0] }, 2), also: [counts('2', { a: [900, 0] })] }

  it('is the sum of what each of them counted', () => {
    const next = {
      ...counts('1', { a: [150, 6], b: [30, 4] }, 3),
      also: [counts('2', { a: [950, 0], b: [5, 5] }, 1)],
    }
    expect(between(last, next)).toMatchObject({
      stable: { requests: 100, errors: 1 },
      candidate: { requests: 25, errors: 9 },
      requests: 125,
      unroutable: 2,
      cutOnDrain: 10,
    })
  })

  it('does not count what one of them has counted before when the other one was restarted', () => {
    const next = { ...counts('1', { a: [150, 5], b: [10, 0] }, 2), also: [counts('3', { a: [7, 0] })] }
    expect(between(last, next)).toMatchObject({ stable: { requests: 57 }, requests: 57 })
    const first = { ...counts('4', { a: [9, 0] }), also: [counts('2', { a: [901, 0] })] }
    expect(between(last, first)).toMatchObject({ stable: { requests: 10 }, requests: 10 })
  })

  it('knows each of them again, whichever comes first', () => {
    const next = { ...counts('2', { a: [901, 0] }), also: [counts('1', { a: [102, 5], b: [10, 0] }, 2)] }
    expect(between(last, next)).toMatchObject({ stable: { requests: 3 }, requests: 3 })
  })

  it('loses nothing of the one that stays when the other one leaves', () => {
    expect(between(last, counts('1', { a: [150, 6], b: [10, 0] }, 2))).toMatchObject({
      stable: { requests: 50, errors: 1 },
      requests: 50,
    })
  })
})
