import type { Step } from '../plan/plan.ts'
import type { ServiceSettings } from '../release/settings.ts'
import type { StageCriteria } from '../release/strategy-settings.ts'
import { isWorker } from '../release/worker.ts'
import { readyWithinMs } from '../shared/set-spec.ts'
import { TOTAL_PERMILLE } from '../shared/weight.ts'
import { verification } from './steps.ts'

/** Instances of both sets once a batch has been replaced. */
export type BatchSize = { candidate: number; stable: number }

/** What is waited for after each batch but the last, which the watch follows; `null`: nothing. */
export type BatchPause = { durationMs: number | null; atMostMs?: number; criteria: StageCriteria }

/**
 * All sets together have at most `surge` instances more than the larger of the two releases asks for, and never fewer than
 * `floor` of them serve by our own doing.
 */
export type BatchLimits = { surge: number; floor: number }

export type Batch = BatchSize & { pause: BatchPause | null }

/**
 * Batch by batch: the new instances start, are verified once and get the share of traffic that is theirs by number; then,
 * and not before the router confirmed it, as many of stable leave. The last of stable stay through the watch without traffic.
 */
export function batchSteps(
  settings: ServiceSettings,
  batches: readonly Batch[],
  limits: BatchLimits,
): Step[] {
  const none: BatchSize = { candidate: 0, stable: Number.POSITIVE_INFINITY }
  return batches.flatMap((batch, index) => {
    const before = batches[index - 1] ?? none
    return [
      ...growth(settings, { before, batch, limits }),
      ...replacement(settings, { before, batch, limits }),
    ]
  })
}

type Change = { before: BatchSize; batch: Batch; limits: BatchLimits }

/** The candidate grows and gets the share that comes with it. */
function growth(settings: ServiceSettings, { before, batch, limits: { surge } }: Change): Step[] {
  const { run, health } = settings
  if (batch.candidate <= before.candidate) return []
  const isFirst = before.candidate === 0
  const weight = shareOf(batch, run.replicas)
  return [
    { kind: 'provision', replicas: batch.candidate, deadlineMs: readyWithinMs(health), surge },
    ...(isFirst ? verification(settings, 'before') : []),
    ...(isFirst || weight > shareOf(before, run.replicas)
      ? [{ kind: 'traffic' as const, weightPermille: weight }]
      : []),
  ]
}

/** Stable leaves as much to it, and what is left is watched; after the last batch the watch comes. */
function replacement(settings: ServiceSettings, { before, batch, limits: { floor } }: Change): Step[] {
  const isLast = batch.candidate >= settings.run.replicas
  // Without a router those that stay would go on working: none of a worker does.
  const shrinks = isLast ? isWorker(settings) && before.stable > 0 : batch.stable < before.stable
  return [
    ...(shrinks ? [{ kind: 'shrink' as const, replicas: isLast ? 0 : batch.stable, floor }] : []),
    ...(isLast || batch.pause === null || batch.candidate === 0
      ? []
      : [{ kind: 'observe' as const, ...batch.pause }]),
  ]
}

/** The share of the candidate among all instances; all of it once it is complete. */
const shareOf = ({ candidate, stable }: BatchSize, replicas: number): number => {
  if (candidate >= replicas) return TOTAL_PERMILLE
  return candidate === 0 ? 0 : Math.floor((TOTAL_PERMILLE * candidate) / (candidate + stable))
}
