import { alphaOfMetric } from '../../analysis/check.ts'
import type { Dispersion } from '../../analysis/sequential/dispersion.ts'
import type { Metric } from '../../analysis/sequential/metric.ts'
import { addBatch, newState, verdictOf } from '../../analysis/sequential/state.ts'
import type { AnalysisSettings } from '../../release/analysis-settings.ts'
import type { MetricDefinition } from '../../shared/metric-definition.ts'
import type { EventOf } from '../event.ts'
import { dispersionsOf } from '../judging/count-metrics.ts'
import type { RolloutState } from '../state.ts'
import { isCounted, type MetricSide, type MetricState, newMetricState } from './metric-state.ts'
import { levelsWith } from './value-level.ts'

/** A provider that wants to be left alone for longer is asked again all the same. */
export const LONGEST_RETRY_MS = 3_600_000

export const metricStateOf = ({ metrics }: RolloutState, name: string): MetricState =>
  metrics.find((one) => one.name === name) ?? newMetricState(name)

/** One answer about one declared metric: what it adds to the evidence, and to what is known of its provider. */
export function countMetric(rollout: RolloutState, event: EventOf<'metric-sampled'>): RolloutState {
  const metric = rollout.settings.analysis.metrics.find(({ name }) => name === event.metric)
  if (metric === undefined) return rollout
  const after = countSample(rollout, metric, event)
  const others = rollout.metrics.filter(({ name }) => name !== metric.name)
  return { ...rollout, metrics: [...others, after] }
}

function countSample(
  rollout: RolloutState,
  metric: MetricDefinition,
  { at, sample }: EventOf<'metric-sampled'>,
): MetricState {
  const before = metricStateOf(rollout, metric.name)
  const failure = [sample.candidate, sample.stable].find((side) => side.kind === 'failure')
  if (failure !== undefined) return { ...before, failures: oneMore(before, metric, { failure, at }) }
  const counted = isCounted(sample)
  return {
    ...before,
    ...evidence(rollout, metric, { at, sample }),
    last: { ...sample, at },
    failures: null,
    levels: levelsWith(metric.measure, before.levels, sample),
    countedTo: counted ? sample.window.toMs : before.countedTo,
    emptySince: counted ? null : (before.emptySince ?? at),
  }
}

type Failure = { failure: Extract<MetricSide, { kind: 'failure' }>; at: number }

/** Asked again soon until it counts as broken; from then on no more often than a window is due. */
function oneMore(
  { failures }: MetricState,
  { trouble: { retryMs, failures: most }, everyMs }: MetricDefinition,
  { failure: { problem, retryAfterMs }, at }: Failure,
): MetricState['failures'] {
  const count = (failures?.count ?? 0) + 1
  const ownMs = count < most ? retryMs : Math.max(retryMs, everyMs)
  const waitMs = Math.max(ownMs, Math.min(retryAfterMs ?? 0, LONGEST_RETRY_MS))
  return {
    count,
    since: failures?.since ?? at,
    problem,
    askAgainAt: at + waitMs,
    failedAt: at,
  }
}

/** Each window is a batch of its own and lies inside one stage, so that none holds two weights. */
function evidence(
  rollout: RolloutState,
  metric: MetricDefinition,
  { at, sample: { window, candidate, stable } }: Pick<EventOf<'metric-sampled'>, 'at' | 'sample'>,
): Partial<MetricState> {
  const { analysis } = rollout.settings
  const { sequential, crossedAt } = metricStateOf(rollout, metric.name)
  const compared = comparedOf(metric, metricDispersion(rollout, metric, window.fromMs).phi)
  if (compared === null || candidate.kind !== 'counts' || stable.kind !== 'counts') return {}
  const batch = { candidate: candidate.side, stable: stable.side }
  const after = addBatch(compared, sequential ?? newState(), batch)
  const { verdict } = verdictOf(compared, after, alphaOfMetric(analysis, metric), analysis.alpha)
  return { sequential: after, crossedAt: crossedAt ?? (verdict === 'worse' ? at : null) }
}

/** The metric as the sequential engine knows it; `null` for a value, which is no count. */
export function comparedOf({ name, measure }: MetricDefinition, dispersion = 1): Metric | null {
  switch (measure.kind) {
    case 'value':
      return null
    case 'histogram':
      return { name, dispersion, ...measure }
    case 'ratio':
    case 'rate':
      return { name, dispersion, grid: gridOf(measure), ...measure }
  }
}

/** What should be frequent (orders of visits) falls by small factors, and what is rare rises by large ones. */
const gridOf = ({ direction }: { direction: string }): 'fine' | 'coarse' =>
  direction === 'more-is-worse' ? 'coarse' : 'fine'

/**
 * How much more the counts vary than independent ones: what the file says, or for errors and latency of the data plane
 * what stable's minutes show. Nothing is known about the numbers of others, which are taken as they are.
 */
export function metricDispersion(
  rollout: RolloutState,
  { query, measure }: MetricDefinition,
  at: number,
): MetricDispersion {
  const given = rollout.settings.analysis.dispersion
  if (given !== null) return { phi: given, evidence: 'full', minutes: 0 }
  if (query.provider !== 'builtin') return UNKNOWN
  const { errors, latency } = dispersionsOf(rollout, at)
  if (measure.kind === 'histogram') return latency
  return query.count === 'errors' || query.count === '5xx' ? errors : UNKNOWN
}

export type MetricDispersion = Omit<Dispersion, 'evidence'> & { evidence: Dispersion['evidence'] | 'unknown' }

const UNKNOWN: MetricDispersion = { phi: 1, evidence: 'unknown', minutes: 0 }

/** Where the evidence of a count stands; `null` for a value. */
export function standingOfMetric(analysis: AnalysisSettings, metric: MetricDefinition, state: MetricState) {
  const compared = comparedOf(metric)
  return compared === null
    ? null
    : verdictOf(compared, state.sequential ?? newState(), alphaOfMetric(analysis, metric), analysis.alpha)
}
