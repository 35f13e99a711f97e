import type { MetricMeasure } from '../shared/metric-definition.ts'

type ValueMeasure = Extract<MetricMeasure, { kind: 'value' }>

/**
 * How far the candidate's value is beside stable's, in percent of it (a fall is negative), and what that is by the
 * declared limits. Advisory: one number on each side says nothing about chance.
 */
export type Deviation =
  | { kind: 'measured'; percent: number; level: 'ok' | 'warning' | 'critical' }
  /** Nothing can be a share of zero. */
  | { kind: 'stable-is-zero' }

/**
 * @example deviationOf({ candidate: 80, stable: 100 }, { kind: 'value', direction: 'less-is-worse', warningPercent: 10, criticalPercent: null })
 * // { kind: 'measured', percent: -20, level: 'warning' }
 */
export function deviationOf(
  { candidate, stable }: { candidate: number; stable: number },
  { direction, warningPercent, criticalPercent }: ValueMeasure,
): Deviation {
  if (stable === 0) return { kind: 'stable-is-zero' }
  const percent = (100 * (candidate - stable)) / Math.abs(stable)
  const harm = harmOf(percent, direction)
  const level =
    criticalPercent !== null && harm >= criticalPercent
      ? 'critical'
      : harm >= warningPercent
        ? 'warning'
        : 'ok'
  return { kind: 'measured', percent, level: harm > 0 ? level : 'ok' }
}

function harmOf(percent: number, direction: ValueMeasure['direction']): number {
  switch (direction) {
    case 'more-is-worse':
      return percent
    case 'less-is-worse':
      return -percent
    case 'either':
      return Math.abs(percent)
  }
}
