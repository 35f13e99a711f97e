import type { MetricAnswer } from '../core/rollout/observation.ts'
import type { MetricDefinition, ProviderName } from '../core/shared/metric-definition.ts'
import type { MetricSample } from '../core/shared/metric-sample.ts'
import type { MetricSubject, MetricWindow } from '../core/shared/metric-subject.ts'
import type { Problem } from '../core/shared/problem.ts'

/** Where the analysis gets the counters of the data plane from. No data, zero and failure are three different answers. */
export interface MetricSource {
  readonly kind: string
  /** Counters since the source's start; the engine takes differences and notices a new `boot`. */
  query(service: string): Promise<MetricAnswer>
}

/** One question: this metric, of this version, in this window. */
export type MetricRequest = { metric: MetricDefinition; subject: MetricSubject; window: MetricWindow }

/** The questions as they were asked (secrets hidden), and what the provider said beside the numbers. */
type Asked = { asked: string[]; notes: string[] }

/**
 * What a provider answers. A window without anything counted is a `sample` of zeros where the source knows the version,
 * and `no-data` where it has nothing; `failure` says that the question was not answered. None of them stands for another.
 */
export type MetricReading = Asked &
  (
    | { kind: 'sample'; sample: MetricSample /** What the numbers are really of. */; covered: MetricWindow }
    | { kind: 'no-data'; reason: string }
    | {
        kind: 'failure'
        problem: Problem /** The provider asked to be left alone for so long. */
        retryAfterMs: number | null
      }
  )

/** A source of metrics. It never throws for what the world does, and never takes much longer than the metric's timeout. */
export interface MetricProvider {
  readonly kind: ProviderName | 'fake'
  /**
   * `kept`: any past window can be asked for. `from-now-on`: only what passes between two questions is known, so the
   * first answer about a version is `no-data`.
   */
  readonly history: 'kept' | 'from-now-on'
  /** An aborted signal ends the question early, with a failure. */
  sample(request: MetricRequest, signal?: AbortSignal): Promise<MetricReading>
}

export type { MetricAnswer }
