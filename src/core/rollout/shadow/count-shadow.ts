import { addSides, type Batch, noRequests, type SideCounts } from '../../analysis/batch.ts'
import { NO_PAIRS, type PairCounts } from '../../shared/traffic-counts.ts'
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

const addPairs = (a: PairCounts, b: PairCounts): PairCounts => ({
  answered: a.answered + b.answered,
  statusDiffers: a.statusDiffers + b.statusDiffers,
  bodyDiffers: a.bodyDiffers + b.bodyDiffers,
  bodyUnknown: a.bodyUnknown + b.bodyUnknown,
  busy: a.busy + b.busy,
  large: a.large + b.large,
  unfinished: a.unfinished + b.unfinished,
})

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
