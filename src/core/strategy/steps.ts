import type { Step } from '../plan/plan.ts'
import type { ServiceSettings } from '../release/settings.ts'
import type { CanaryStep } from '../release/strategy-settings.ts'
import { readyWithinMs } from '../shared/set-spec.ts'
import { checksAt, type VerifyMoment } from '../shared/verification.ts'
import { TOTAL_PERMILLE } from '../shared/weight.ts'

/** Start so many candidate instances, all of them by default, and wait until they are ready. */
export const provision = ({ run, health }: ServiceSettings, replicas = run.replicas): Step => ({
  kind: 'provision',
  replicas,
  deadlineMs: readyWithinMs(health),
})

/** The checks of this moment; no step where there are none. */
export function verification({ verify }: ServiceSettings, moment: VerifyMoment): Step[] {
  const checks = checksAt(verify, moment)
  if (checks.length === 0) return []
  const atMostMs = checks.reduce((sum, { timeoutMs }) => sum + timeoutMs, 0)
  return [{ kind: 'verify', moment, checks: checks.map(({ name }) => name), atMostMs }]
}

export const allTraffic: Step = { kind: 'traffic', weightPermille: TOTAL_PERMILLE }

/** Rising weights with a look at each. */
export const stages = (steps: readonly CanaryStep[], earliestMs: number | null): Step[] =>
  steps.flatMap((stage): Step[] => {
    const traffic: Step = { kind: 'traffic', weightPermille: stage.weightPermille }
    if (stage.weightPermille === TOTAL_PERMILLE) return [traffic]
    const early = earliestMs === null || stage.pauseMs === null ? {} : { earliestMs }
    const late = stage.atMostMs === undefined ? {} : { atMostMs: stage.atMostMs }
    return [
      traffic,
      { kind: 'observe', durationMs: stage.pauseMs, ...early, ...late, criteria: stage.criteria },
    ]
  })

/** All traffic is on the candidate: it is verified as users reach it, watched, and then stable. */
export const arrival = (settings: ServiceSettings): Step[] => [
  ...verification(settings, 'after'),
  { kind: 'watch', durationMs: settings.strategy.watchMs },
  { kind: 'promote' },
]

/** The old set stops. */
export const departure: readonly Step[] = [{ kind: 'drain' }, { kind: 'retire' }]

/** What becomes of the old set after a promotion. */
export const farewell = ({ strategy }: ServiceSettings): readonly Step[] =>
  strategy.kind === 'blue-green' && strategy.warmMs > 0
    ? [{ kind: 'keep', forMs: strategy.warmMs }]
    : departure
