import type { Step } from '../plan/plan.ts'
import type { ServiceSettings } from '../release/settings.ts'
import { TOTAL_PERMILLE } from '../shared/weight.ts'

/** Rising weights with a look at each, then the watch with the old set warm, then the old set leaves. */
export function canarySteps(settings: ServiceSettings): Step[] {
  const { strategy } = settings
  const stages = strategy.steps.flatMap((stage): Step[] => {
    const traffic: Step = { kind: 'traffic', weightPermille: stage.weightPermille }
    if (stage.weightPermille === TOTAL_PERMILLE) return [traffic]
    const early =
      strategy.earliestMs === null || stage.pauseMs === null ? {} : { earliestMs: strategy.earliestMs }
    const late = stage.atMostMs === undefined ? {} : { atMostMs: stage.atMostMs }
    return [
      traffic,
      { kind: 'observe', durationMs: stage.pauseMs, ...early, ...late, criteria: stage.criteria },
    ]
  })
  return [
    provision(settings),
    ...stages,
    { kind: 'watch', durationMs: strategy.watchMs },
    { kind: 'promote' },
    { kind: 'drain' },
    { kind: 'retire' },
  ]
}

/** A person takes the candidate to 100% at once: readiness and the watch are kept, the stages are not. */
export function fullSteps(settings: ServiceSettings): Step[] {
  return [
    provision(settings),
    { kind: 'traffic', weightPermille: TOTAL_PERMILLE },
    { kind: 'watch', durationMs: settings.strategy.watchMs },
    { kind: 'promote' },
    { kind: 'drain' },
    { kind: 'retire' },
  ]
}

/** Nothing serves yet, so there is nothing to compare with and nobody to protect: straight to full when ready. */
export function firstSteps(settings: ServiceSettings): Step[] {
  return [provision(settings), { kind: 'traffic', weightPermille: TOTAL_PERMILLE }, { kind: 'promote' }]
}

/** Back to a release that held 100% and passed its watch: no stages, no analysis, start-first all the same. */
export function rollbackSteps(settings: ServiceSettings): Step[] {
  return [
    provision(settings),
    { kind: 'traffic', weightPermille: TOTAL_PERMILLE },
    { kind: 'promote' },
    { kind: 'drain' },
    { kind: 'retire' },
  ]
}

const provision = ({ run, health }: ServiceSettings): Step => ({
  kind: 'provision',
  replicas: run.replicas,
  deadlineMs: health.deadlineMs,
})
