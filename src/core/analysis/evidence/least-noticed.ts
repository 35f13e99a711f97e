import { addSides, type Batch, sizeOf } from '../sequential/batch.ts'
import { requestsNeeded } from '../sequential/growth.ts'
import type { Budget } from '../sequential/judge.ts'
import type { Metric } from '../sequential/metric.ts'
import { newState } from '../sequential/state.ts'

/** Halvings: to a thousandth of a point. */
const ROUNDS = 17

/**
 * The smallest rise, in points, that the requests of batches with both versions would have shown, had it been there all
 * the time: what is below that nobody has looked for.
 */
export function leastNoticed(
  metric: Metric,
  both: readonly Batch[],
  budget: Budget,
): { requests: number; points: number | null } | null {
  if (both.length === 0) return null
  const counted = both.reduce((sum, { candidate, stable }) => ({
    candidate: addSides(sum.candidate, candidate),
    stable: addSides(sum.stable, stable),
  }))
  const requests = sizeOf(counted.candidate)
  const isNoticed = (points: number): boolean => {
    const state = { ...newState(), counted, compared: both.length }
    const { toNotice } = requestsNeeded({ ...metric, notice: { points } }, state, budget)
    return toNotice !== null && toNotice <= requests
  }
  if (!isNoticed(100)) return { requests, points: null }
  let below = metric.tolerance.points
  let noticed = 100
  for (let round = 0; round < ROUNDS; round += 1) {
    const middle = (below + noticed) / 2
    if (isNoticed(middle)) noticed = middle
    else below = middle
  }
  return { requests, points: noticed }
}
