import { addSides, type Batch, noRequests, type SideCounts } from '../../analysis/batch.ts'
import { addPairs } from '../../shared/add-counts.ts'
import { NO_PAIRS } from '../../shared/traffic-counts.ts'
import type { RolloutState } from '../state.ts'
import type { ShadowState } from './shadow-state.ts'

/** What copies showed, with this batch. */
export function countShadow(
  known: ShadowState | null,
  { shadow, candidate, stable }: Batch,
): ShadowState | null {
  if (shadow === undefined) return known
  const before = known ?? { ...NO_PAIRS, candidate: noRequests(), stable: noRequests() }
  return {
    ...addPairs(before, shadow),
    candidate: addSides(before.candidate, candidate),
    stable: addSides(before.stable, stable),
  }
}

/** Requests of users alone that the candidate was counted for: what it answered in the shadow reached nobody. */
export function servedToUsers({ total, shadow }: RolloutState): SideCounts {
  if (shadow === null) return total.candidate
  const { candidate } = total
  const { requests, errors, latencyBuckets } = shadow.candidate
  return {
    requests: candidate.requests - requests,
    errors: candidate.errors - errors,
    latencyBuckets: candidate.latencyBuckets.map((count, index) => count - (latencyBuckets[index] ?? 0)),
  }
}
