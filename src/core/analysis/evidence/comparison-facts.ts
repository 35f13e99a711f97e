import { type Check, COMPARED_BOUNDS_MS } from '../check.ts'
import { type CheckState, comparisonOf, metricBatch } from '../judge.ts'
import { momentOf } from '../sequential/decisive-moment.ts'
import { shownBound } from '../sequential/explain.ts'
import { requestsNeeded } from '../sequential/growth.ts'
import { lowerBounds } from '../sequential/lower-bounds.ts'
import { Metric } from '../sequential/metric.ts'
import { passingShare } from '../sequential/passing-share.ts'
import { newState, type SequentialState } from '../sequential/state.ts'
import type { Facts } from './evidence.ts'
import { leastNoticed } from './least-noticed.ts'
import { type Look, peakOf } from './trail.ts'

type Comparing = Extract<Check, { kind: 'compare' | 'errors-over-stable' }>
type State = { check: Comparing; state: CheckState }

/** Of a check that asks how much worse than stable the candidate is. */
export function comparisonFacts(
  { check, state, index }: State & { index: number },
  used: readonly Look[],
  phi: number,
): Facts {
  const metric = { ...metricOf(check), dispersion: phi }
  const both = used.filter(({ batch }) => batch.candidate.requests > 0 && batch.stable.requests > 0)
  const sequential = check.kind === 'compare' ? (state.sequential ?? newState()) : sequentialOf(state, both)
  const batches = used.map((look) => batchOf(check, look))
  const deciding = state.crossedAt === null ? batches : batches.slice(0, peakOf(index, used) + 1)
  const moment = momentOf(metric, deciding)
  // Without any evidence for "worse" there is nothing that it shows at least.
  const bounds =
    moment.cells.length === 0 || state.peakLogE <= 0 ? null : lowerBounds(metric, moment, check.alpha)
  const budget = { alpha: check.alpha, beta: check.kind === 'compare' ? check.beta : check.alpha }
  const { toNotice, toRuleOut } = requestsNeeded(metric, sequential, budget)
  const { points } = metric.notice
  return {
    boundMs: boundOf({ check, state }),
    limitShare: null,
    atLeast: { ratio: bounds?.ratio ?? null, points: bounds?.points ?? null, share: null },
    passing: passingShare(metric, batches, { alpha: check.alpha, direction: 0 }),
    needed: {
      what: `one that is ${points} ${points === 1 ? 'point' : 'points'} worse than stable`,
      toNotice,
      toRuleOut: check.kind === 'compare' ? toRuleOut : null,
    },
    leastNoticed: leastNoticed(
      metric,
      both.map((look) => batchOf(check, look)),
      budget,
    ),
  }
}

/** A guard over stable is the same comparison with another tolerance; what it would notice is twice of that. */
function metricOf(check: Comparing): Metric {
  if (check.kind === 'compare') return check.metric
  const { name, points } = check
  return Metric.parse({
    name,
    kind: 'ratio',
    tolerance: { ratio: 1, points },
    notice: { points: Math.min(100, 2 * points) },
  })
}

function batchOf(check: Comparing, { batch: { candidate, stable }, dispersions }: Look) {
  if (check.kind === 'compare')
    return { ...metricBatch(check, { candidate, stable }), dispersion: dispersions[check.of].phi }
  return {
    candidate: { bad: candidate.errors, total: candidate.requests },
    stable: { bad: stable.errors, total: stable.requests },
    dispersion: dispersions.errors.phi,
  }
}

/** The sums of a guard in the shape that the growth of a comparison is worked out from. */
function sequentialOf({ terms: worse, peakLogE: peak }: CheckState, both: readonly Look[]): SequentialState {
  const counted = {
    candidate: countedOf(both.map(({ batch }) => batch.candidate)),
    stable: countedOf(both.map(({ batch }) => batch.stable)),
  }
  return { worse, fine: [], counted, batches: both.length, compared: both.length, peak }
}

const countedOf = (sides: readonly { errors: number; requests: number }[]) => ({
  bad: sides.reduce((sum, { errors }) => sum + errors, 0),
  total: sides.reduce((sum, { requests }) => sum + requests, 0),
})

/** Of a histogram the bound with the strongest evidence. */
function boundOf({ check, state }: State): number | null {
  if (check.kind !== 'compare' || check.of === 'errors') return null
  const standing = comparisonOf(check, state)
  const index = shownBound({ metric: check.metric, state: state.sequential ?? newState(), standing })
  return COMPARED_BOUNDS_MS[index] ?? null
}
