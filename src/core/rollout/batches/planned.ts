import type { Plan, Step } from '../../plan/plan.ts'
import { mayLinger } from '../../plan/sizes.ts'
import { stopsFirst } from '../recreate/closing.ts'
import type { RolloutState, ServiceState, SetState } from '../state.ts'

/** The plan takes stable apart while the candidate grows. */
export const isBatched = ({ steps }: Pick<Plan, 'steps'>): boolean =>
  steps.some(({ step }) => step.kind === 'shrink')

/** Instances of the candidate that the plan has at this step. */
export function plannedCandidate({ plan, stepIndex, settings }: RolloutState): number {
  const last = lastOf(plan, stepIndex, 'provision')
  return last?.kind === 'provision' ? last.replicas : settings.run.replicas
}

/** Instances of stable that are left at this step; `null`: all of them. */
export function plannedStable(state: ServiceState, rollout: RolloutState): number | null {
  const { plan, stepIndex } = rollout
  if (stopsFirst(plan)) return plan.steps.slice(0, stepIndex + 1).some(isVacating) ? 0 : null
  const index = plan.steps.slice(0, stepIndex + 1).findLastIndex(({ step }) => step.kind === 'shrink')
  const step = plan.steps[index]?.step
  const planned = step?.kind === 'shrink' ? step.replicas : null
  const next = plan.steps.slice(Math.max(0, index)).find((one) => one.step.kind === 'provision')?.step
  const limits = limitsOf(state, rollout)
  if (limits === null || next?.kind !== 'provision') return planned
  // A plan that waited was made beside a stable release of another size: there must be room for what comes next all the same.
  const room = Math.max(0, limits.most - next.replicas)
  const present = planned ?? state.settings?.run.replicas ?? 0
  return room < present ? room : planned
}

const isVacating = ({ step }: Plan['steps'][number]): boolean => step.kind === 'vacate'

const lastOf = ({ steps }: Plan, index: number, kind: Step['kind']): Step | undefined =>
  steps.slice(0, index + 1).findLast(({ step }) => step.kind === kind)?.step

/** What the batches keep to, on the way there and on the way back; `null` where there are none. */
export function limitsOf(
  { settings }: Pick<ServiceState, 'settings'>,
  rollout: Pick<RolloutState, 'plan' | 'settings'>,
): { most: number; floor: number } | null {
  const { steps } = rollout.plan
  const floors = steps.flatMap(({ step }) => (step.kind === 'shrink' ? [step.floor] : []))
  if (floors.length === 0) return null
  const surges = steps.flatMap(({ step }) => (step.kind === 'provision' ? [step.surge ?? 0] : []))
  const { replicas } = rollout.settings.run
  const larger = Math.max(replicas, settings?.run.replicas ?? replicas)
  const smaller = Math.min(replicas, settings?.run.replicas ?? replicas)
  return { most: larger + Math.max(0, ...surges), floor: Math.min(smaller, ...floors) }
}

/** The plan counts on it that what stops goes on beside the next ones. */
export const lingers = (
  { settings, stable }: Pick<ServiceState, 'settings' | 'stable'>,
  rollout: Pick<RolloutState, 'settings'>,
  { release }: Pick<SetState, 'release'>,
): boolean => mayLinger({ settings: (release === stable?.release ? settings : null) ?? rollout.settings })

export const stableSet = ({ stable, sets }: ServiceState): SetState | undefined =>
  stable === null ? undefined : sets.find(({ release }) => release === stable.release)
