import { LATENCY_BUCKETS } from '../core/shared/histogram.ts'
import { NO_PAIRS, type ShadowCounts, type TrafficCounts } from '../core/shared/traffic-counts.ts'

/** Counts of the data plane: nothing at all, but for what is said. */
export const trafficOf = (of: Partial<TrafficCounts> = {}): TrafficCounts => ({
  requests: 0,
  errors: 0,
  status: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
  connectFailures: 0,
  resets: 0,
  timeouts: 0,
  clientAborts: 0,
  cutOnDrain: 0,
  retries: 0,
  bytesIn: 0,
  bytesOut: 0,
  latencyBuckets: new Array<number>(LATENCY_BUCKETS).fill(0),
  ...of,
})

/** Counts of copies before any was made. */
export const shadowOf = (salt: string, release: string): ShadowCounts => ({
  ...{ salt, release, candidate: trafficOf(), stable: trafficOf() },
  ...NO_PAIRS,
})
