import type { StepView } from '../../../src/core/rollout/view/view.ts'

/** Which batch is on its way, counted from 1 by the instances that start; `null` where instances are not replaced in batches. */
export function batchesOf(steps: readonly StepView[]): { at: number; total: number } | null {
  if (!steps.some(({ kind }) => kind === 'shrink')) return null
  const batches = steps.filter(({ kind }) => kind === 'provision')
  const begun = batches.filter(({ state }) => state !== 'planned').length
  return { at: Math.max(1, begun), total: batches.length }
}
