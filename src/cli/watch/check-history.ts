import type { ServiceView } from '../../core/rollout/view/view.ts'
import { numberIn, SPARK_VALUES } from '../frame/spark.ts'

/** Candidate values of each check as this terminal saw them, newest last. */
export interface CheckHistory {
  add(view: ServiceView): void
  readonly values: ReadonlyMap<string, readonly number[]>
}

/** A value counts once per measurement: when its number of samples moved. Starts anew with another rollout. */
export function createCheckHistory(): CheckHistory {
  const values = new Map<string, number[]>()
  const samples = new Map<string, number>()
  let rollout: string | null = null
  return {
    values,
    add(view) {
      if (view.rollout === null) return
      if (view.rollout.id !== rollout) {
        rollout = view.rollout.id
        values.clear()
        samples.clear()
      }
      for (const check of view.rollout.checks) {
        const value = numberIn(check.candidate)
        if (value === null || samples.get(check.name) === check.samples) continue
        samples.set(check.name, check.samples)
        values.set(check.name, [...(values.get(check.name) ?? []), value].slice(-SPARK_VALUES))
      }
    },
  }
}
