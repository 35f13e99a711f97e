import { type EffectLimits, effectOf } from './effect.ts'
import { locationShift, QUANTILE_98, rankTest, type Shift } from './mann-whitney.ts'
import { ascending, type NanStrategy } from './series.ts'

export const DIRECTIONS = ['increase', 'decrease', 'either'] as const
export type Direction = (typeof DIRECTIONS)[number]

/** Kayenta's labels. Nodata leaves the score of its group, NodataFailMetric counts against it. */
export type Label = 'Pass' | 'High' | 'Low' | 'Nodata' | 'NodataFailMetric'

export type Rules = {
  direction: Direction
  nanStrategy: NanStrategy
  isCritical: boolean
  mustHaveData: boolean
  effect: EffectLimits
  /** The shift must exceed this share of its estimate. */
  tolerance: number
  /** Standard normal quantile of the interval. */
  quantile: number
}

/** The judge passes these two as literals; the config cannot change them. */
export const JUDGE_LITERALS = { tolerance: 0.25, quantile: QUANTILE_98 }

export type Classification = {
  label: Label
  /** The metric alone brings the total to 0. */
  critical: boolean
  reason: string
  /** `null`: no test was needed. */
  test: { shift: Shift; bound: number; pValue: number; effect: number | null } | null
}

type Sides = { control: readonly number[]; experiment: readonly number[] }

/** Compares the two series, which are free of NaN and outliers already. */
export function classify(sides: Sides, rules: Rules): Classification {
  if (sides.control.length === 0 || sides.experiment.length === 0) return withoutData(sides, rules)
  if (sameValues(sides)) return untested('Pass', 'Both sides have the same values.')
  const shift = locationShift(sides.experiment, sides.control, rules.quantile)
  const bound = rules.tolerance * Math.abs(shift.estimate)
  const effect = effectOf(rules.effect.measure, sides)
  const label = labelOf({ shift, bound, effect }, rules)
  return {
    label,
    critical: rules.isCritical && isCriticalEffect(label, effect, rules.effect),
    reason: reasonOf(label, { shift, bound, effect }, rules),
    test: {
      shift,
      bound,
      pValue: rankTest(sides.experiment, sides.control).twoSidedP,
      effect: Number.isNaN(effect) ? null : effect,
    },
  }
}

function withoutData({ control, experiment }: Sides, rules: Rules): Classification {
  const who = [control.length === 0 ? 'control' : '', experiment.length === 0 ? 'experiment' : '']
    .filter((side) => side !== '')
    .join(' and ')
  const reason = `No points of ${who}.`
  if (rules.nanStrategy === 'replace')
    return untested('Pass', `${reason} nanStrategy replace takes that for a pass.`)
  if (rules.mustHaveData && !rules.isCritical)
    return untested('NodataFailMetric', `${reason} mustHaveData makes that a failure.`)
  return { ...untested('Nodata', reason), critical: rules.isCritical }
}

const untested = (label: Label, reason: string): Classification => ({
  label,
  critical: false,
  reason,
  test: null,
})

/** The same multiset on both sides, or one single value over both. */
function sameValues({ control, experiment }: Sides): boolean {
  if (new Set([...control, ...experiment]).size === 1) return true
  if (control.length !== experiment.length) return false
  const sorted = ascending(experiment)
  return ascending(control).every((value, index) => value === sorted[index])
}

type Found = { shift: Shift; bound: number; effect: number }

function labelOf({ shift, bound, effect }: Found, { direction, effect: limits }: Rules): Label {
  const reaches = (limit: number): boolean => Number.isNaN(effect) || effect >= limit
  const undercuts = (limit: number): boolean => Number.isNaN(effect) || effect <= limit
  if (direction !== 'decrease' && shift.lower > bound && reaches(limits.allowedIncrease)) return 'High'
  if (direction !== 'increase' && shift.upper < -bound && undercuts(limits.allowedDecrease)) return 'Low'
  return 'Pass'
}

function isCriticalEffect(label: Label, effect: number, limits: EffectLimits): boolean {
  if (label === 'High') return Number.isNaN(effect) || effect >= limits.criticalIncrease
  if (label === 'Low') return Number.isNaN(effect) || effect <= limits.criticalDecrease
  return false
}

function reasonOf(label: Label, { shift, bound, effect }: Found, rules: Rules): string {
  const interval = `shift ${short(shift.estimate)}, interval ${short(shift.lower)} to ${short(shift.upper)}, bound ${short(bound)}`
  const size = Number.isNaN(effect)
    ? 'a mean is 0, so no limit for the effect applies'
    : `${rules.effect.measure} ${short(effect)}`
  const values = `${interval}; ${size}`
  if (label === 'High') return `Higher than the control: ${values}.`
  if (label === 'Low') return `Lower than the control: ${values}.`
  return `No shift beyond the bound and the limits in direction ${rules.direction}: ${values}.`
}

const short = (value: number): string => String(Number(value.toPrecision(4)))
