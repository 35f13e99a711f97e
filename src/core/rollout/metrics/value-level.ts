import { deviationOf } from '../../analysis/deviation.ts'
import { badOnes, type FailureLimit, isPersistent } from '../../analysis/persistence.ts'
import type { MetricMeasure } from '../../shared/metric-definition.ts'
import type { MetricLevel, MetricState, SampledWindow } from './metric-state.ts'

type ValueMeasure = Extract<MetricMeasure, { kind: 'value' }>

/** Without a limit the last window alone decides. */
const LAST_WINDOW: FailureLimit = { limit: 1, of: 1 }

export const failureLimitOf = ({ failureLimit }: ValueMeasure): FailureLimit => failureLimit ?? LAST_WINDOW

/** What one window of a value is by itself; `null` where it has no value of both. */
function levelOfWindow(
  measure: ValueMeasure,
  { candidate, stable }: Pick<SampledWindow, 'candidate' | 'stable'>,
): MetricLevel | null {
  if (candidate.kind !== 'value' || stable.kind !== 'value') return null
  const deviation = deviationOf({ candidate: candidate.value, stable: stable.value }, measure)
  return deviation.kind === 'measured' ? deviation.level : 'ok'
}

/** The levels of the last windows with this one; no more of them than its limit looks at. */
export function levelsWith(
  measure: MetricMeasure,
  levels: MetricState['levels'],
  window: Pick<SampledWindow, 'candidate' | 'stable'>,
): MetricState['levels'] {
  const level = measure.kind === 'value' ? levelOfWindow(measure, window) : null
  return measure.kind !== 'value' || level === null
    ? levels
    : [...levels, level].slice(-failureLimitOf(measure).of)
}

/** One number says nothing about chance: so many of the last windows have to be beyond the limit. */
export function levelOfValue({ measure }: { measure: MetricMeasure }, { levels }: MetricState): MetricLevel {
  if (measure.kind !== 'value') return 'ok'
  const limit = failureLimitOf(measure)
  if (
    isPersistent(
      levels.map((level) => level === 'critical'),
      limit,
    )
  )
    return 'critical'
  return isPersistent(levels.map(isBad), limit) ? 'warning' : 'ok'
}

const isBad = (level: MetricLevel): boolean => level !== 'ok'

/** `2 of the last 4 windows were beyond a limit, and 3 of 5 count`; empty where the last one alone does. */
export function failuresText(measure: ValueMeasure, { levels }: Pick<MetricState, 'levels'>): string {
  const { limit, of } = failureLimitOf(measure)
  if (of === 1) return ''
  const bad = badOnes(levels.map(isBad), of)
  return `; ${bad} of the last ${levels.length} windows ${bad === 1 ? 'was' : 'were'} beyond a limit, and ${limit} of ${of} count`
}
