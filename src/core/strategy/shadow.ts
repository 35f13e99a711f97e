import type { Step } from '../plan/plan.ts'
import type { ServiceSettings } from '../release/settings.ts'
import { copiedRequests } from '../release/shadow-settings.ts'
import type { ShadowSettings } from '../release/strategy-settings.ts'
import { arrival, farewell, provision, stages, verification } from './steps.ts'

/** A whole candidate answers copies of real requests first, which nobody sees; then the switch, or the steps of a canary. */
export const shadowSteps = (settings: ServiceSettings, strategy: ShadowSettings): Step[] => [
  provision(settings),
  ...verification(settings, 'before'),
  shadowing(strategy),
  ...stages(strategy.steps, strategy.earliestMs),
  ...arrival(settings),
  ...farewell(settings),
]

function shadowing(strategy: ShadowSettings): Step {
  const { forMs, atMostMs, criteria, sharePermille, bodies } = strategy
  const late = atMostMs === undefined ? {} : { atMostMs }
  const shadow = { sharePermille, requests: copiedRequests(strategy), bodies }
  return { kind: 'observe', durationMs: forMs, ...late, criteria, shadow }
}
