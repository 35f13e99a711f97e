import type { CanaryStep, StageCriteria } from '../core/release/strategy-settings.ts'
import { TOTAL_PERMILLE } from '../core/shared/weight.ts'

const MINUTE_MS = 60_000

export const PRESET_NAMES = ['standard', 'cautious', 'quick'] as const
export type PresetName = (typeof PRESET_NAMES)[number]

/** Weight in per mille and step time in minutes of every step below 100%. */
const PRESET_STEPS: Record<PresetName, readonly (readonly [weightPermille: number, minutes: number])[]> = {
  standard: [
    [50, 10],
    [250, 15],
    [500, 20],
  ],
  cautious: [
    [10, 10],
    [50, 10],
    [100, 10],
    [250, 15],
    [500, 20],
  ],
  quick: [
    [100, 5],
    [500, 5],
  ],
}

/** The steps of a preset, the one of 100% included. */
export function presetSteps(name: PresetName): CanaryStep[] {
  const rising = PRESET_STEPS[name].map(([weightPermille, minutes]) => ({
    weightPermille,
    pauseMs: minutes * MINUTE_MS,
    criteria: criteriaForWeight(weightPermille),
  }))
  return [...rising, LAST_STEP]
}

/** After 100% there is nothing to hold back: the watch begins at once. */
export const LAST_STEP: CanaryStep = { weightPermille: TOTAL_PERMILLE, pauseMs: 0, criteria: {} }

/** The more traffic a step carries, the more it has to show. */
function criteriaForWeight(weightPermille: number): StageCriteria {
  if (weightPermille < 250) return { errorRatePercent: 1, p99Ms: 500, successRatePercent: 99.9 }
  if (weightPermille < 500) return { errorRatePercent: 0.5, p99Ms: 400, successRatePercent: 99.9 }
  return { errorRatePercent: 0.1, p99Ms: 300, successRatePercent: 99.95 }
}
