import { quantileMs } from '../shared/histogram.ts'
import type { SideCounts } from './batch.ts'
import { errorPercent, percent } from './criteria.ts'

export type HealthTarget = { name: string; value: string; limit: string; met: boolean | null }

/** Health targets: reported as met or missed, never a trigger. */
export function healthTargets(side: SideCounts): HealthTarget[] {
  const latency = (name: string, share: number, limitMs: number): HealthTarget => {
    const value = quantileMs(side.latencyBuckets, share)
    return {
      name,
      value: value === null ? 'no data' : `${Math.round(value)} ms`,
      limit: `< ${limitMs} ms`,
      met: value === null ? null : value < limitMs,
    }
  }
  const rate = (name: string, value: number, limit: string, met: boolean): HealthTarget =>
    side.requests === 0
      ? { name, value: 'no data', limit, met: null }
      : { name, value: percent(value), limit, met }
  const errors = errorPercent(side)
  return [
    rate('error rate', errors, '< 0.1%', errors < 0.1),
    rate('success rate', 100 - errors, '> 99.95%', 100 - errors > 99.95),
    latency('p50', 0.5, 100),
    latency('p95', 0.95, 300),
    latency('p99', 0.99, 500),
  ]
}
