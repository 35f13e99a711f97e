import type { MetricAnswer } from '../core/rollout/observation.ts'

/** Where the analysis gets its numbers from. No data, zero and failure are three different answers. */
export interface MetricSource {
  readonly kind: string
  /** Counters since the source's start; the engine takes differences and notices a new `boot`. */
  query(service: string): Promise<MetricAnswer>
}

export type { MetricAnswer }
