import type { Plan, Step } from '../plan/plan.ts'
import type { ServiceSettings } from '../release/settings.ts'
import { blueGreenSteps } from './blue-green.ts'
import { canarySteps } from './canary.ts'
import { allTraffic, arrival, departure, farewell, provision, verification } from './steps.ts'

/** What a plan of each kind does. Every strategy comes down to the same few steps, so that the engine knows none of them. */
export function compile(kind: Plan['kind'], settings: ServiceSettings): Step[] {
  switch (kind) {
    case 'none':
      return []
    case 'first':
      return firstSteps(settings)
    case 'rollback':
      return rollbackSteps(settings)
    case 'deploy':
      return strategySteps(settings)
  }
}

function strategySteps(settings: ServiceSettings): Step[] {
  const { strategy } = settings
  switch (strategy.kind) {
    case 'canary':
      return canarySteps(settings, strategy)
    case 'blue-green':
      return blueGreenSteps(settings, strategy)
  }
}

/** A person takes the candidate to 100% at once: readiness, the checks and the watch are kept, the stages are not. */
export const fullSteps = (settings: ServiceSettings): Step[] => [
  provision(settings),
  ...verification(settings, 'before'),
  allTraffic,
  ...arrival(settings),
  ...farewell(settings),
]

/** Nothing serves yet, so there is nothing to compare with and nobody to protect: straight to full when ready. */
const firstSteps = (settings: ServiceSettings): Step[] => [
  provision(settings),
  ...verification(settings, 'before'),
  allTraffic,
  ...verification(settings, 'after'),
  { kind: 'promote' },
]

/** Back to a release that held 100% and passed its watch: no stages, no analysis, start-first all the same. */
const rollbackSteps = (settings: ServiceSettings): Step[] => [
  provision(settings),
  allTraffic,
  { kind: 'promote' },
  ...departure,
]
