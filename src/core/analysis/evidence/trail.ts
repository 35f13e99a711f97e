import type { Batch } from '../batch.ts'
import type { Check } from '../check.ts'
import { comparedCrashes } from '../crashes.ts'
import { differingIn } from '../differing.ts'
import type { CheckState } from '../judge.ts'
import type { Dispersions } from '../stable-minutes.ts'
import { answeredOfDue } from '../throughput.ts'

/** One batch of a rollout with what was known when it was judged. */
export type Look = {
  batch: Batch
  dispersions: Dispersions
  isWarmingUp: boolean
  /** Of each check, in the order of the checks, after this batch. */
  checks: readonly { logE: number; boundMs: number | null }[]
}

/** A check at the end of a trail. */
export type Judged = { check: Check; state: CheckState; index: number }

/** Does the check add this batch to its evidence? */
export function counts({ check, index }: Judged, { batch, isWarmingUp, checks }: Look): boolean {
  if (batch.candidate.requests === 0 && batch.stable.requests === 0) return false
  if (check.kind === 'throughput') return !isWarmingUp && answeredOfDue(batch) !== null
  if (check.kind === 'crashes') return comparedCrashes(batch) !== null
  if (check.kind === 'differing') return (differingIn(batch)?.total ?? 0) > 0
  if (check.kind === 'compare') return check.of === 'errors' || !isWarmingUp
  return check.kind !== 'latency-over-stable' || checks[index]?.boundMs !== null
}

/** Which look had the highest evidence of a check first. */
export function peakOf(index: number, looks: readonly Look[]): number {
  let peak = 0
  const logE = (look: number): number => looks[look]?.checks[index]?.logE ?? Number.NEGATIVE_INFINITY
  for (let look = 1; look < looks.length; look += 1) if (logE(look) > logE(peak)) peak = look
  return peak
}
