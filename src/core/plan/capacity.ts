import type { ServiceSettings } from '../release/settings.ts'
import { isWorker } from '../release/worker.ts'
import type { Plan } from './plan.ts'

/** Of what stable has; `null` where nothing is stable. */
export const percentOfStable = (instances: number, stable: number): number | null =>
  stable === 0 ? null : Math.round((100 * instances) / stable)

type Capacity = Pick<Plan, 'steps'> & { peak: NonNullable<Plan['peak']> }

/**
 * What a plan needs at its peak and at each step, in percent of what stable has. A canary needs stable and what the candidate
 * was grown to, blue-green twice of it, rolling stable and its surge, recreate never both.
 *
 * @example capacityOf(plan, { stable: 2, settings }).peak // { percent: 200, formula: 'stable 2 and the candidate 2' }
 */
export function capacityOf(
  plan: Pick<Plan, 'kind' | 'strategy' | 'steps' | 'peakInstances'>,
  { stable, settings }: { stable: number; settings: ServiceSettings },
): Capacity {
  return {
    steps: plan.steps.map((step) => ({
      ...step,
      capacityPercent: percentOfStable(step.instances.stable + step.instances.candidate, stable),
    })),
    peak: {
      percent: percentOfStable(plan.peakInstances, stable),
      formula: formulaOf(plan, { stable, settings }),
    },
  }
}

function formulaOf(
  { kind, strategy, steps, peakInstances }: Pick<Plan, 'kind' | 'strategy' | 'steps' | 'peakInstances'>,
  { stable, settings }: { stable: number; settings: ServiceSettings },
): string {
  const { run } = settings
  if (kind === 'none') return 'what runs'
  if (stable === 0) return `the first release alone, ${run.replicas}`
  const makesRoom = steps.some(({ step }) => step.kind === 'shrink')
  if (makesRoom && isWorker(settings) && peakInstances === stable + run.replicas)
    return `stable ${stable}, which may still finish what it has, and the candidate ${run.replicas}`
  if (makesRoom && peakInstances > stable) return `stable ${stable}, and a surge of ${peakInstances - stable}`
  if (makesRoom) return `stable ${stable}, which makes room first`
  if (steps.some(({ step }) => step.kind === 'vacate'))
    return `the larger of stable ${stable}, which stops first, and the candidate ${run.replicas}`
  if (strategy === 'blue-green') return `stable ${stable}, and a whole second set of ${run.replicas}`
  return `stable ${stable}, and the candidate ${run.replicas}`
}
