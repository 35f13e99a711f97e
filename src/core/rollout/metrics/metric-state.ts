import * as z from 'zod'
import { MOST_REMEMBERED } from '../../analysis/persistence.ts'
import { Side, sizeOf } from '../../analysis/sequential/batch.ts'
import { SequentialState } from '../../analysis/sequential/state.ts'
import { Problem } from '../../shared/problem.ts'

/** Milliseconds since the epoch; `toMs` does not belong to it. */
const Window = z.object({ fromMs: z.number(), toMs: z.number() })
/** The questions as they were asked, secrets hidden. */
const asked = z.array(z.string())

/** What a provider answered about one version in one window. */
export const MetricSide = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('counts'), side: Side, covered: Window, asked }),
  z.object({ kind: z.literal('value'), value: z.number(), covered: Window, asked }),
  z.object({ kind: z.literal('no-data'), reason: z.string(), asked }),
  z.object({
    kind: z.literal('failure'),
    problem: Problem,
    /** The provider asked to be left alone for so long. */
    retryAfterMs: z.number().nullable(),
    asked,
  }),
])
export type MetricSide = z.infer<typeof MetricSide>

/** Both versions over the same window. */
export const SampledWindow = z.object({ window: Window, candidate: MetricSide, stable: MetricSide })
export type SampledWindow = z.infer<typeof SampledWindow>

export const MetricLevel = z.enum(['ok', 'warning', 'critical'])
export type MetricLevel = z.infer<typeof MetricLevel>

/** All that a rollout remembers of one declared metric: a few sums, the last answer, and what is wrong with the provider. */
export const MetricState = z.object({
  name: z.string(),
  /** `null` before the first counts, and for a value. */
  sequential: SequentialState.nullable(),
  crossedAt: z.number().nullable(),
  /** The last answer that was none of trouble. */
  last: SampledWindow.extend({ at: z.number() }).nullable(),
  /** End of the last window in which both versions had something. */
  countedTo: z.number().nullable(),
  /** Since when answers came and nothing was in them. */
  emptySince: z.number().nullable(),
  /** Failures in a row. */
  failures: z
    .object({
      count: z.int(),
      since: z.number(),
      problem: Problem,
      askAgainAt: z.number(),
      /** When the last one failed: a clock that stands before it was set back. Absent from before that was kept. */
      failedAt: z.number().exactOptional(),
    })
    .nullable(),
  /** Of a value: what each of the last windows was by itself, oldest first. */
  levels: z.array(MetricLevel).max(MOST_REMEMBERED).default([]),
})
export type MetricState = z.infer<typeof MetricState>

export const newMetricState = (name: string): MetricState => ({
  name,
  sequential: null,
  crossedAt: null,
  last: null,
  countedTo: null,
  emptySince: null,
  failures: null,
  levels: [],
})

/** Both versions had something to count: without that there is nothing to compare. */
export const isCounted = ({ candidate, stable }: SampledWindow): boolean =>
  [candidate, stable].every(
    (side) => side.kind === 'value' || (side.kind === 'counts' && sizeOf(side.side) > 0),
  )
