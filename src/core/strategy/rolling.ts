import type { Step } from '../plan/plan.ts'
import type { ServiceSettings } from '../release/settings.ts'
import type { RollingSettings } from '../release/strategy-settings.ts'
import { type Batch, type BatchLimits, type BatchSize, batchSteps } from './batches.ts'
import { allTraffic, arrival, farewell, provision, verification } from './steps.ts'

/** The set that is replaced. What was adopted is one process that nobody can start again, so it leaves at the end or not at all. */
export type OldSet = { replicas: number; canShrink: boolean }

/** Instances are replaced in batches, each looked at before the next; `full` waits at none of them. */
export function rollingSteps(
  settings: ServiceSettings,
  strategy: RollingSettings,
  { old, isFull = false }: { old: OldSet; isFull?: boolean },
): Step[] {
  return [...rollingBatches(settings, strategy, { old, isFull }), ...arrival(settings), ...farewell(settings)]
}

/** Until all traffic is on the candidate. */
export function rollingBatches(
  settings: ServiceSettings,
  strategy: RollingSettings,
  { old, isFull }: { old: OldSet; isFull: boolean },
): Step[] {
  if (!old.canShrink) return [provision(settings), ...verification(settings, 'before'), allTraffic]
  const { pauseMs, atMostMs, criteria } = strategy
  const late = atMostMs === undefined ? {} : { atMostMs }
  const pause = isFull || pauseMs === 0 ? null : { durationMs: pauseMs, ...late, criteria }
  const limits = rollingLimits(settings, strategy, old.replicas)
  const batches = sizes(settings.run.replicas, strategy, { old: old.replicas, limits })
  return batchSteps(
    settings,
    batches.map((size): Batch => ({ ...size, pause })),
    limits,
  )
}

/** Releases of different size are bounded by the larger one, and serve with at least the smaller one. */
export const rollingLimits = (
  { run }: ServiceSettings,
  { surge, unavailable, minHealthy }: RollingSettings,
  old: number,
): BatchLimits => ({
  surge,
  floor: Math.max(0, Math.min(run.replicas, old) - unavailable, Math.min(minHealthy ?? 0, run.replicas, old)),
})

/** More batches than there are instances would be a mistake of ours. */
const BATCHES_LIMIT = 4096

function sizes(
  replicas: number,
  { surge, unavailable }: RollingSettings,
  { old, limits }: { old: number; limits: BatchLimits },
): BatchSize[] {
  const batches: BatchSize[] = []
  let size: BatchSize = { candidate: 0, stable: old }
  while (size.candidate < replicas && batches.length < BATCHES_LIMIT) {
    const room = Math.max(0, Math.max(replicas, old) + surge - size.stable - size.candidate)
    const candidate = Math.min(replicas, size.candidate + Math.min(room, surge + unavailable))
    // In proportion, so that releases of different size change over evenly.
    const due = Math.ceil((old * (replicas - candidate)) / replicas) - unavailable
    const stable = Math.min(size.stable, Math.max(0, due, limits.floor - candidate))
    if (candidate === size.candidate && stable === size.stable) break
    size = { candidate, stable }
    batches.push(size)
  }
  return batches
}
