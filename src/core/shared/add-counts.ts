import type { PairCounts, TrafficCounts } from './traffic-counts.ts'

/** Of two data planes, or of two processes of one. */
export const addTraffic = (a: TrafficCounts, b: TrafficCounts): TrafficCounts => ({
  requests: a.requests + b.requests,
  errors: a.errors + b.errors,
  status: {
    '1xx': a.status['1xx'] + b.status['1xx'],
    '2xx': a.status['2xx'] + b.status['2xx'],
    '3xx': a.status['3xx'] + b.status['3xx'],
    '4xx': a.status['4xx'] + b.status['4xx'],
    '5xx': a.status['5xx'] + b.status['5xx'],
  },
  connectFailures: a.connectFailures + b.connectFailures,
  resets: a.resets + b.resets,
  timeouts: a.timeouts + b.timeouts,
  clientAborts: a.clientAborts + b.clientAborts,
  cutOnDrain: a.cutOnDrain + b.cutOnDrain,
  retries: a.retries + b.retries,
  bytesIn: a.bytesIn + b.bytesIn,
  bytesOut: a.bytesOut + b.bytesOut,
  latencyBuckets: a.latencyBuckets.map((count, index) => count + (b.latencyBuckets[index] ?? 0)),
})

/** Takes no more than these numbers from what has others beside them. */
export const addPairs = (a: PairCounts, b: PairCounts): PairCounts => ({
  answered: a.answered + b.answered,
  statusDiffers: a.statusDiffers + b.statusDiffers,
  bodyDiffers: a.bodyDiffers + b.bodyDiffers,
  bodyUnknown: a.bodyUnknown + b.bodyUnknown,
  busy: a.busy + b.busy,
  large: a.large + b.large,
  unfinished: a.unfinished + b.unfinished,
})
