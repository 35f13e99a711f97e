import { describe, expect, it } from 'vitest'
import { trafficOf } from '../../testkit/traffic.ts'
import { LATENCY_BUCKETS } from '../shared/histogram.ts'
import type { ServiceCounts } from '../shared/traffic-counts.ts'
import { batchBetween, cursorOf } from './counts-cursor.ts'

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
})
