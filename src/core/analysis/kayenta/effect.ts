import { pairsAbove } from './mann-whitney.ts'
import { mean } from './series.ts'

export const EFFECT_MEASURES = ['meanRatio', 'cles'] as const
export type EffectMeasure = (typeof EFFECT_MEASURES)[number]

/** A metric only counts as High (Low) when the effect reaches the limit for an increase (decrease). */
export type EffectLimits = {
  measure: EffectMeasure
  allowedIncrease: number
  allowedDecrease: number
  criticalIncrease: number
  criticalDecrease: number
}

/** Kayenta's limits when the config gives none: any effect counts. */
export const NEUTRAL_EFFECT: Record<EffectMeasure, number> = { meanRatio: 1, cles: 0.5 }

/** NaN when it cannot be told (a mean is 0), and then every limit counts as reached. */
export function effectOf(
  measure: EffectMeasure,
  { experiment, control }: { experiment: readonly number[]; control: readonly number[] },
): number {
  switch (measure) {
    case 'meanRatio':
      return meanRatio(experiment, control)
    case 'cles':
      return pairsAbove(experiment, control) / (experiment.length * control.length)
  }
}

function meanRatio(experiment: readonly number[], control: readonly number[]): number {
  const above = mean(experiment)
  const below = mean(control)
  return above === 0 || below === 0 ? Number.NaN : above / below
}
