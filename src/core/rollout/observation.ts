import type { Problem } from '../shared/problem.ts'
import type { ServiceCounts } from '../shared/traffic-counts.ts'

/** What a metric source answered: no data, zero and failure are three different things. */
export type MetricAnswer =
  | { kind: 'samples'; at: number; counts: ServiceCounts }
  | { kind: 'no-data'; at: number }
  | { kind: 'failure'; at: number; problem: Problem }
