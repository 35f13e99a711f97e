import type { Problem } from '../core/shared/problem.ts'
import type { ServiceCounts } from '../core/shared/traffic-counts.ts'

/** Where the analysis gets its numbers from. No data, zero and failure are three different answers. */
export interface MetricSource {
  readonly kind: string
  /** Counters since the source's start; the engine takes differences and notices a new `boot`. */
  query(service: string): Promise<MetricAnswer>
}

export type MetricAnswer =
  | { kind: 'samples'; at: number; counts: ServiceCounts }
  | { kind: 'no-data'; at: number }
  | { kind: 'failure'; at: number; problem: Problem }
