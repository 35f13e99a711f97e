import { deviationOf } from '../../analysis/deviation.ts'
import type { ValueEvidence, ValuePoint } from '../../analysis/evidence/evidence.ts'
import { stretches } from '../../analysis/evidence/stretches.ts'
import type { MetricDefinition, MetricMeasure } from '../../shared/metric-definition.ts'
import type { RolloutState } from '../state.ts'
import { askingOf } from './metric-evidence.ts'
import { describeMetric } from './metric-text.ts'
import type { MetricLook } from './metric-trail.ts'
import { valueVerdict } from './metric-view.ts'

type ValueMeasure = Extract<MetricMeasure, { kind: 'value' }>
type Level = 'ok' | 'warning' | 'critical'
type Measured = ValuePoint & { level: Level; window: number }

/** Both values of a declared metric over time, with its limits; `null` for one that is counted. */
export function valueEvidence(
  rollout: RolloutState,
  metric: MetricDefinition,
  looks: readonly MetricLook[],
): ValueEvidence | null {
  const { measure } = metric
  if (measure.kind !== 'value') return null
  const measured = looks.flatMap(valuesIn).map((point, index) => measuredAs(point, measure, index + 1))
  const { sentence, threshold: limit } = describeMetric(rollout, metric)
  const first = (levels: readonly Level[]): ValueEvidence['warnedAt'] => {
    const found = measured.find(({ level }) => levels.includes(level))
    return found === undefined ? null : { at: found.at, window: found.window }
  }
  const last = measured.at(-1)
  return {
    name: metric.name,
    tier: metric.tier,
    verdict: valueVerdict(rollout, metric),
    sentence,
    limit,
    direction: measure.direction,
    warningPercent: measure.warningPercent,
    criticalPercent: measure.criticalPercent,
    warnedAt: first(['warning', 'critical']),
    criticalAt: first(['critical']),
    passing: last === undefined || last.stable === 0 ? null : passingOf(last.stable, measure),
    windows: measured.length,
    asking: askingOf(metric, looks),
    points: stretches(measured).flatMap(farthest),
  }
}

function valuesIn({ at, sample: { candidate, stable } }: MetricLook): Omit<ValuePoint, 'percent'>[] {
  if (candidate.kind !== 'value' || stable.kind !== 'value') return []
  return [{ at, candidate: candidate.value, stable: stable.value }]
}

function measuredAs(point: Omit<ValuePoint, 'percent'>, measure: ValueMeasure, window: number): Measured {
  const deviation = deviationOf(point, measure)
  return deviation.kind === 'measured'
    ? { ...point, percent: deviation.percent, level: deviation.level, window }
    : { ...point, percent: null, level: 'ok', window }
}

/** Between which values the candidate is neither warned of nor worse, beside this one of stable. */
function passingOf(stable: number, { direction, warningPercent }: ValueMeasure): ValueEvidence['passing'] {
  const away = (Math.abs(stable) * warningPercent) / 100
  return {
    least: direction === 'more-is-worse' ? null : stable - away,
    most: direction === 'less-is-worse' ? null : stable + away,
  }
}

function farthest(some: readonly Measured[]): ValuePoint[] {
  const [first] = some
  if (first === undefined) return []
  const { at, candidate, stable, percent } = some.reduce((most, one) =>
    Math.abs(one.percent ?? 0) > Math.abs(most.percent ?? 0) ? one : most,
  )
  return [{ at, candidate, stable, percent }]
}
