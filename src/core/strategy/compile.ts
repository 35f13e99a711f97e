import type { Plan, Step } from '../plan/plan.ts'
import type { ServiceSettings } from '../release/settings.ts'
import { isWorker } from '../release/worker.ts'
import { abSteps } from './ab.ts'
import { blueGreenSteps } from './blue-green.ts'
import { canarySteps } from './canary.ts'
import { departureOf, oneAfterTheOther, recreateSteps } from './recreate.ts'
import { type OldSet, rollingBatches, rollingSteps } from './rolling.ts'
import { shadowSteps } from './shadow.ts'
import { allTraffic, arrival, departure, farewell, provision, verification } from './steps.ts'
import { workerBatches, workerCanarySteps } from './worker.ts'

/** What a plan of each kind does. Every strategy comes down to the same few steps, so that the engine knows none of them. */
export function compile(kind: Plan['kind'], settings: ServiceSettings, old = sameSize(settings)): Step[] {
  switch (kind) {
    case 'none':
      return []
    case 'first':
      return firstSteps(settings)
    case 'rollback':
      return rollbackSteps(settings, old)
    case 'deploy':
      return strategySteps(settings, old)
  }
}

/** What is replaced is as large as what replaces it, where nobody says otherwise. */
const sameSize = ({ run }: ServiceSettings): OldSet => ({ replicas: run.replicas, canShrink: true })

function strategySteps(settings: ServiceSettings, old: OldSet): Step[] {
  const { strategy } = settings
  switch (strategy.kind) {
    case 'ab':
      return abSteps(settings, strategy)
    case 'canary':
      return isWorker(settings)
        ? workerCanarySteps(settings, strategy, { old })
        : canarySteps(settings, strategy)
    case 'blue-green':
      return blueGreenSteps(settings, strategy)
    case 'recreate':
      return recreateSteps(settings, strategy, old)
    case 'rolling':
      return rollingSteps(settings, strategy, { old })
    case 'shadow':
      return shadowSteps(settings, strategy)
  }
}

/** A person takes the candidate to 100% at once: readiness, the checks and the watch are kept, the stages are not. */
export function fullSteps(settings: ServiceSettings, old = sameSize(settings)): Step[] {
  const { strategy } = settings
  if (strategy.kind === 'recreate') return recreateSteps(settings, strategy, old)
  if (strategy.kind === 'rolling') return rollingSteps(settings, strategy, { old, isFull: true })
  if (strategy.kind === 'canary' && isWorker(settings))
    return workerCanarySteps(settings, strategy, { old, isFull: true })
  return [
    provision(settings),
    ...verification(settings, 'before'),
    allTraffic,
    ...arrival(settings),
    ...farewell(settings),
  ]
}

/** Nothing serves yet, so there is nothing to compare with and nobody to protect: straight to full when ready. */
const firstSteps = (settings: ServiceSettings): Step[] => [
  provision(settings),
  ...verification(settings, 'before'),
  allTraffic,
  ...verification(settings, 'after'),
  { kind: 'promote' },
]

/** Back to a release that held 100% and passed its watch: no stages, no analysis, start-first all the same. */
const rollbackSteps = (settings: ServiceSettings, old: OldSet): Step[] => [
  ...wayTo(settings, old),
  { kind: 'promote' },
  ...(settings.strategy.kind === 'recreate' ? departureOf(old) : departure),
]

/** In batches where the release is rolled, since there is room for no more; one after the other where it is recreated. */
function wayTo(settings: ServiceSettings, old: OldSet): Step[] {
  const { strategy } = settings
  if (strategy.kind === 'canary' && isWorker(settings))
    return workerBatches(settings, strategy, { old, isFull: true })
  if (strategy.kind === 'recreate') return oneAfterTheOther({ ...settings, verify: [] }, strategy, old)
  if (strategy.kind !== 'rolling') return [provision(settings), allTraffic]
  return rollingBatches({ ...settings, verify: [] }, strategy, { old, isFull: true })
}
