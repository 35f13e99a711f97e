import type { Step } from '../plan/plan.ts'
import type { ServiceSettings } from '../release/settings.ts'
import type { CanarySettings } from '../release/strategy-settings.ts'
import { type Batch, batchSteps } from './batches.ts'
import type { OldSet } from './rolling.ts'
import { allTraffic, arrival, departure, provision } from './steps.ts'

/**
 * A canary without a router: the share of work is the share of instances. So many of the candidate start, as many of stable
 * leave, and the stage is a look at both. Where a share is less than one instance, it is one.
 */
export const workerCanarySteps = (
  settings: ServiceSettings,
  strategy: CanarySettings,
  { old, isFull = false }: { old: OldSet; isFull?: boolean },
): Step[] => [...workerBatches(settings, strategy, { old, isFull }), ...arrival(settings), ...departure]

/** Until all instances are the candidate's. */
export function workerBatches(
  settings: ServiceSettings,
  strategy: CanarySettings,
  { old, isFull }: { old: OldSet; isFull: boolean },
): Step[] {
  if (!old.canShrink) return [provision(settings), allTraffic]
  const batches = batchesOf(settings.run.replicas, strategy, { old: old.replicas, isFull })
  const grown = batches.map(({ candidate }, index) => candidate - (batches[index - 1]?.candidate ?? 0))
  // What a batch brings comes before as many of stable leave; all of it at once where nobody waits in between.
  const limits = { surge: Math.max(1, ...grown), floor: Math.min(settings.run.replicas, old.replicas) }
  return batchSteps(settings, batches, limits)
}

function batchesOf(
  replicas: number,
  { steps }: CanarySettings,
  { old, isFull }: { old: number; isFull: boolean },
): Batch[] {
  return steps.map(({ weightPermille, pauseMs, atMostMs }) => {
    const candidate = Math.min(replicas, Math.max(1, Math.round((replicas * weightPermille) / 1000)))
    const late = atMostMs === undefined ? {} : { atMostMs }
    const pause = isFull ? null : { durationMs: pauseMs, ...late, criteria: {} }
    return { candidate, stable: Math.ceil((old * (replicas - candidate)) / replicas), pause }
  })
}
