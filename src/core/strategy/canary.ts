import type { Step } from '../plan/plan.ts'
import type { ServiceSettings } from '../release/settings.ts'
import type { CanarySettings } from '../release/strategy-settings.ts'
import { TOTAL_PERMILLE } from '../shared/weight.ts'
import { arrival, farewell, provision, stages, verification } from './steps.ts'

/** Rising weights with a look at each, then the watch with the old set warm, then the old set leaves. */
export const canarySteps = (settings: ServiceSettings, strategy: CanarySettings): Step[] => [
  ...(strategy.instances === 'share'
    ? grownByShare(settings, strategy)
    : allFromTheStart(settings, strategy)),
  ...arrival(settings),
  ...farewell(settings),
]

const allFromTheStart = (settings: ServiceSettings, { steps, earliestMs }: CanarySettings): Step[] => [
  provision(settings),
  ...verification(settings, 'before'),
  ...stages(steps, earliestMs),
]

/** Before each stage as many instances as its weight asks for, so that each has about the load of one of stable. */
function grownByShare(settings: ServiceSettings, { steps, earliestMs }: CanarySettings): Step[] {
  const { replicas } = settings.run
  const sizes = steps.map(({ weightPermille }) => Math.ceil((replicas * weightPermille) / TOTAL_PERMILLE))
  return steps.flatMap((stage, index) => {
    const [size, before] = [sizes[index] ?? replicas, sizes[index - 1] ?? 0]
    return [
      ...(size > before ? [provision(settings, size)] : []),
      ...(index === 0 ? verification(settings, 'before') : []),
      ...stages([stage], earliestMs),
    ]
  })
}
