import { LATENCY_BUCKETS } from '../../src/core/shared/histogram.ts'
import type { TrafficCounts } from '../../src/core/shared/traffic-counts.ts'
import type { MetricSource } from '../../src/ports/metric.ts'
import { trafficOf } from '../../src/testkit/traffic.ts'

/** Traffic of one service; both versions are equally good. */
const REQUESTS_PER_SECOND = 100
const ERROR_SHARE = 0.001
/** Share of the requests per latency bucket: most take 5 to 50 ms, a few up to 400 ms. */
const LATENCY_SHARES = [0, 0, 0.05, 0.3, 0.3, 0.2, 0.08, 0.04, 0.015, 0.008, 0.004, 0.002, 0.001]

type Split = { release: string; share: number }

/**
 * Counters of a data plane that has served without a break since `since`: a pure function of time, so that a controller
 * that was started again finds them where they are.
 */
export function createCounters(since: number, splitOf: (service: string) => readonly Split[]): MetricSource {
  return {
    kind: 'fake',
    query: async (service) => {
      const at = Date.now()
      const seconds = (at - since) / 1000
      const releases = splitOf(service).map(({ release, share }) => ({
        release,
        total: countsOf(Math.floor(seconds * REQUESTS_PER_SECOND * share)),
        routes: {},
      }))
      return {
        kind: 'samples',
        at,
        counts: { service, boot: 'fake-boot-1', releases, unroutable: 0, refused: 0 },
      }
    },
  }
}

function countsOf(requests: number): TrafficCounts {
  const errors = Math.floor(requests * ERROR_SHARE)
  return trafficOf({
    requests,
    errors,
    status: { '1xx': 0, '2xx': requests - errors, '3xx': 0, '4xx': 0, '5xx': errors },
    latencyBuckets: Array.from({ length: LATENCY_BUCKETS }, (_, bucket) =>
      Math.floor(requests * (LATENCY_SHARES[bucket] ?? 0)),
    ),
  })
}
