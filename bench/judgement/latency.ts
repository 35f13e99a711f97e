import { budgetOf } from '../../src/core/analysis/sequential/judge.ts'
import { Metric, type MetricInput } from '../../src/core/analysis/sequential/metric.ts'
import { addBatch, newState, verdictOf } from '../../src/core/analysis/sequential/state.ts'
import { LATENCY_BOUNDS_MS } from '../../src/core/shared/histogram.ts'
import { type Outcome, outcomeOf } from './cell.ts'
import { ALPHA, HARM_METRICS } from './judges.ts'
import { seedOf, uniformFrom } from './random.ts'
import { bucketShares, multinomial } from './samplers.ts'

/** As in the table of the method: 80 ms in the middle and a long tail. */
const SHAPE = { medianMs: 80, sigma: 0.8 }
export const REQUESTS_PER_LOOK = 200
const LOOKS = 180

export type LatencySetting = { name: string; metric: Metric; alpha: number }

const TEN_BOUNDS_MS = [50, 75, 100, 150, 200, 300, 500, 750, 1000, 1500]

export const LATENCY_TABLE: LatencySetting = {
  name: 'one metric, ten bounds, no tolerance',
  alpha: ALPHA,
  metric: Metric.parse({
    name: 'latency',
    kind: 'histogram',
    bounds: TEN_BOUNDS_MS,
    tolerance: { ratio: 1, points: 0 },
  } satisfies MetricInput),
}

/** The buckets of the proxy, and what a rollout tolerates without any setting: 10% more slow requests, and 1 point. */
export const LATENCY_PRODUCT: LatencySetting = {
  name: 'product defaults',
  alpha: budgetOf(ALPHA, HARM_METRICS).alpha,
  metric: Metric.parse({
    name: 'latency',
    kind: 'histogram',
    bounds: [...LATENCY_BOUNDS_MS],
    tolerance: { ratio: 1.1, points: 1 },
  } satisfies MetricInput),
}

export type LatencyWorld = {
  /** All latencies of the candidate times this. */
  times: number
  /** Requests of stable for one of the candidate. */
  stableTimes: number
}

/** Times are candidate requests, not seconds. */
export function measureLatency(setting: LatencySetting, world: LatencyWorld, runs: number): Outcome {
  const uniform = uniformFrom(seedOf(`latency ${setting.name} ${world.times} ${world.stableTimes}`))
  const { metric } = setting
  if (metric.kind !== 'histogram') throw new TypeError('latency is a histogram')
  const ours = bucketShares(metric.bounds, { ...SHAPE, medianMs: SHAPE.medianMs * world.times })
  const theirs = bucketShares(metric.bounds, SHAPE)
  const oneRun = (): number => {
    let state = newState()
    for (let look = 1; look <= LOOKS; look += 1) {
      state = addBatch(metric, state, {
        candidate: { counts: multinomial(uniform, REQUESTS_PER_LOOK, ours) },
        stable: { counts: multinomial(uniform, REQUESTS_PER_LOOK * world.stableTimes, theirs) },
      })
      if (verdictOf(metric, state, setting.alpha).verdict === 'worse') return look * REQUESTS_PER_LOOK
    }
    return Number.POSITIVE_INFINITY
  }
  return outcomeOf(Array.from({ length: runs }, oneRun))
}
