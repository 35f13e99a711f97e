import type { Batch } from '../../analysis/batch.ts'
import type { Criterion } from '../../analysis/criteria.ts'
import { judgeCriteria } from '../../analysis/criteria.ts'
import { isDryRun } from '../../analysis/dry-run.ts'
import type { RolloutState } from '../state.ts'

/** Criteria of the running stage; empty when the step has none. */
export function criteriaOf(rollout: RolloutState): Criterion[] {
  const step = rollout.plan.steps[rollout.stepIndex]?.step
  if (step?.kind !== 'observe') return []
  const { minRequests } = rollout.settings.analysis
  return judgeCriteria(step.criteria, rollout.atStep, { minRequests, weightPermille: weightAtStep(rollout) })
}

/** Those that hold the stage: what is a dry run only tells. */
export const bindingCriteria = (rollout: RolloutState): Criterion[] =>
  criteriaOf(rollout).filter(({ name }) => !isDryRun(rollout.settings.analysis, name))

/** The last weight that was set before the present step. */
export function weightAtStep({ plan, stepIndex }: RolloutState): number {
  const before = plan.steps.slice(0, stepIndex).findLast(({ step }) => step.kind === 'traffic')?.step
  return before?.kind === 'traffic' ? before.weightPermille : 0
}

/**
 * The looks of the stage with this one, in which the numbers of the batch are counted already. Too few requests are no
 * pass, and no failure either; a failure counts once the time of the stage is over.
 */
export function looksWith(rollout: RolloutState, { at, sinceAt }: Batch): RolloutState['stageLooks'] {
  const { plan, steps, stepIndex, stageLooks, heldMs } = rollout
  const step = plan.steps[stepIndex]?.step
  const startedAt = steps[stepIndex]?.startedAt ?? null
  if (step?.kind !== 'observe' || startedAt === null || sinceAt < startedAt) return stageLooks
  const criteria = bindingCriteria(rollout)
  if (criteria.every(({ met }) => met === true)) return { passes: stageLooks.passes + 1, failures: 0 }
  const isOver = step.durationMs !== null && at - startedAt - heldMs >= step.durationMs
  const isFailed = isOver && criteria.some(({ met }) => met === false)
  return { passes: 0, failures: stageLooks.failures + (isFailed ? 1 : 0) }
}

/** Its criteria were met at as many looks one after the other as are asked for. */
export function hasPassedOften({ plan, stepIndex, stageLooks }: RolloutState): boolean {
  const step = plan.steps[stepIndex]?.step
  const needed = step?.kind === 'observe' ? (step.criteria.consecutivePasses ?? 1) : 1
  return needed <= 1 || stageLooks.passes >= needed
}

/** How often they were not met, where that is often enough for a person to look; `null` before. */
export function failedLooks({ plan, stepIndex, stageLooks }: RolloutState): number | null {
  const step = plan.steps[stepIndex]?.step
  const limit = step?.kind === 'observe' ? (step.criteria.failureLimit ?? 0) : 0
  return limit > 0 && stageLooks.failures >= limit ? stageLooks.failures : null
}

export const NO_LOOKS: RolloutState['stageLooks'] = { passes: 0, failures: 0 }
