import type { Step } from '../plan/plan.ts'
import type { CanarySettings, ServiceSettings } from '../release/settings.ts'
import { arrival, farewell, provision, stages, verification } from './steps.ts'

/** Rising weights with a look at each, then the watch with the old set warm, then the old set leaves. */
export const canarySteps = (settings: ServiceSettings, strategy: CanarySettings): Step[] => [
  provision(settings),
  ...verification(settings, 'before'),
  ...stages(strategy.steps, strategy.earliestMs),
  ...arrival(settings),
  ...farewell(settings),
]
