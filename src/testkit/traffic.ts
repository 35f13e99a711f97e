import { LATENCY_BUCKETS } from '../core/shared/histogram.ts'
import type { ShadowCounts, TrafficCounts } from '../core/shared/traffic-counts.ts'

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
  ...{ answered: 0, statusDiffers: 0, bodyDiffers: 0, bodyUnknown: 0, busy: 0, large: 0, unfinished: 0 },
})
