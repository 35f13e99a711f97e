import { quantileMs } from '../../shared/histogram.ts'
import type { BaselineFacts } from '../baseline.ts'
import type { SideCounts } from '../batch.ts'
import { errorPercent } from '../criteria.ts'
import {
  diskBusyPercent,
  figuresOfUse,
  type HostSums,
  type UseFigures,
  type UseSums,
} from '../resources/use-sums.ts'

type FigureName =
  | 'requestsPerSecond'
  | 'errorPercent'
  | 'successPercent'
  | 'p50Ms'
  | 'p95Ms'
  | 'p99Ms'
  | 'cpuPercent'
  | 'highestCpuPercent'
  /** Kept busy: what the percentage is of may differ from one version to the next. */
  | 'cpus'
  | 'memoryPercent'
  | 'highestMemoryPercent'
  | 'diskReadBytesPerSecond'
  | 'diskWrittenBytesPerSecond'
  | 'diskBusyPercent'
  | 'bytesInPerSecond'
  | 'bytesOutPerSecond'
  /** In the time in which the use of resources was measured. */
  | 'requestsPerSecondOfUse'

/** What one version did; `null` is not known. */
export type Figures = Record<FigureName, number | null>

/** Of stable while nothing was released. */
export const figuresBefore = (recorded: BaselineFacts): Figures => ({
  requestsPerSecond: recorded.requestsPerSecond,
  errorPercent: recorded.errorPercent,
  successPercent: 100 - recorded.errorPercent,
  p50Ms: recorded.p50Ms,
  p95Ms: recorded.p95Ms,
  p99Ms: recorded.p99Ms,
  bytesInPerSecond: recorded.bytesInPerSecond,
  bytesOutPerSecond: recorded.bytesOutPerSecond,
  ...useOf(recorded.use),
  diskBusyPercent: recorded.diskBusyPercent,
})

/** During the rollout: `servedMs` is the time in which the version had requests. */
export function figuresNow(
  counts: SideCounts,
  { servedMs, use, host }: { servedMs: number; use: UseSums; host: HostSums },
): Figures {
  const perSecond = (total: number | undefined): number | null =>
    servedMs === 0 || total === undefined ? null : (1000 * total) / servedMs
  const isAsked = counts.requests > 0
  return {
    requestsPerSecond: perSecond(counts.requests),
    errorPercent: isAsked ? errorPercent(counts) : null,
    successPercent: isAsked ? 100 - errorPercent(counts) : null,
    p50Ms: quantileMs(counts.latencyBuckets, 0.5),
    p95Ms: quantileMs(counts.latencyBuckets, 0.95),
    p99Ms: quantileMs(counts.latencyBuckets, 0.99),
    bytesInPerSecond: perSecond(counts.bytes?.in),
    bytesOutPerSecond: perSecond(counts.bytes?.out),
    ...useOf(figuresOfUse(use)),
    diskBusyPercent: diskBusyPercent(host),
  }
}

const useOf = (use: UseFigures | null) => ({
  cpuPercent: use?.cpuPercent ?? null,
  highestCpuPercent: use?.highestCpuPercent ?? null,
  cpus: use?.cpus ?? null,
  memoryPercent: use?.memoryPercent ?? null,
  highestMemoryPercent: use?.highestMemoryPercent ?? null,
  diskReadBytesPerSecond: use?.diskReadBytesPerSecond ?? null,
  diskWrittenBytesPerSecond: use?.diskWrittenBytesPerSecond ?? null,
  requestsPerSecondOfUse: use?.requestsPerSecond ?? null,
})
