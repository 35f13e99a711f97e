import type { HealthTargets } from '../release/analysis-settings.ts'
import { quantileMs } from '../shared/histogram.ts'
import type { SideCounts } from './batch.ts'
import { errorPercent, percent } from './criteria.ts'
import type { UseFigures } from './resources/use-sums.ts'

/** `met: null`: not known, and `value` says why. */
export type HealthTarget = { name: string; value: string; limit: string; met: boolean | null }

/** What a target is held against. */
export type Healthy = {
  counts: SideCounts
  /** `null` where it was not measured. */
  use: UseFigures | null
}

/** Why there is no figure of the use of resources. */
export const NOT_MEASURED = 'not known: this target cannot tell'

/** Health targets: reported as met or missed, never a trigger. */
export function healthTargets(targets: HealthTargets, { counts, use }: Healthy): HealthTarget[] {
  const latency = (name: string, share: number, limitMs: number | undefined): HealthTarget[] => {
    if (limitMs === undefined) return []
    const value = quantileMs(counts.latencyBuckets, share)
    const shown = value === null ? 'no data' : `${Math.round(value)} ms`
    return [{ name, value: shown, limit: `< ${limitMs} ms`, met: value === null ? null : value < limitMs }]
  }
  const errors = errorPercent(counts)
  return [
    ...share(counts, { name: 'error rate', value: errors, limit: targets.errorRatePercent, is: '<' }),
    ...share(counts, {
      name: 'success rate',
      value: 100 - errors,
      limit: targets.successRatePercent,
      is: '>',
    }),
    ...latency('p50', 0.5, targets.p50Ms),
    ...latency('p95', 0.95, targets.p95Ms),
    ...latency('p99', 0.99, targets.p99Ms),
    ...resource('CPU', targets.cpuPercent, use && { mean: use.cpuPercent, highest: use.highestCpuPercent }),
    ...resource(
      'memory',
      targets.memoryPercent,
      use && { mean: use.memoryPercent, highest: use.highestMemoryPercent },
    ),
  ]
}

function share(
  { requests }: SideCounts,
  { name, value, limit, is }: { name: string; value: number; limit: number | undefined; is: '<' | '>' },
): HealthTarget[] {
  if (limit === undefined) return []
  const shown = { name, limit: `${is} ${limit}%` }
  if (requests === 0) return [{ ...shown, value: 'no data', met: null }]
  return [{ ...shown, value: percent(value), met: is === '<' ? value < limit : value > limit }]
}

/** The mean counts: what is high for a moment is what limits are there for. */
function resource(
  name: string,
  limit: number | undefined,
  use: { mean: number; highest: number } | null,
): HealthTarget[] {
  if (limit === undefined) return []
  const shown = { name, limit: `< ${limit}%` }
  if (use === null) return [{ ...shown, value: NOT_MEASURED, met: null }]
  const value = `${percent(use.mean)}, at most ${percent(use.highest)}`
  return [{ ...shown, value, met: use.mean < limit }]
}
