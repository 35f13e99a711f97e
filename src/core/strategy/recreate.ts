import type { Step } from '../plan/plan.ts'
import type { ServiceSettings } from '../release/settings.ts'
import type { RecreateSettings } from '../release/strategy-settings.ts'
import type { OldSet } from './rolling.ts'
import { allTraffic, arrival, departure, provision, verification } from './steps.ts'

/** Everything old stops, and only then the new starts: for what two versions must never do at the same time. */
export const recreateSteps = (settings: ServiceSettings, strategy: RecreateSettings, old: OldSet): Step[] => [
  ...oneAfterTheOther(settings, strategy, old),
  ...arrival(settings),
  ...departureOf(old),
]

/** What stopped first has nothing left to finish. */
export const departureOf = ({ canShrink }: OldSet): readonly Step[] =>
  canShrink ? [{ kind: 'retire' }] : departure

/**
 * Until all traffic is on the candidate. What was taken over is one process that nobody could start again if the candidate
 * failed, so that it stays until the candidate is ready.
 */
export const oneAfterTheOther = (
  settings: ServiceSettings,
  { retryAfterS }: RecreateSettings,
  { canShrink }: OldSet,
): Step[] => [
  ...(canShrink ? [{ kind: 'vacate' as const, retryAfterS }] : []),
  provision(settings),
  ...verification(settings, 'before'),
  allTraffic,
]
