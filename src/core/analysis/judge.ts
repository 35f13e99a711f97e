import * as z from 'zod'
import { countSlowerThan, LATENCY_BOUNDS_MS, quantileMs } from '../shared/histogram.ts'
import type { Batch, SideCounts } from './batch.ts'
import { addSides, noRequests, SideCounts as SideCountsSchema } from './batch.ts'
import type { Check } from './check.ts'
import { P95_SLOW_SHARE, P99_SLOW_SHARE } from './check.ts'
import type { SideCount } from './e-process.ts'
import { LATENCY_ALTERNATIVES, logMeanExp, logTermsAgainstLimit, logTermsAgainstStable } from './e-process.ts'

/** Stable needs this many requests before its own rates excuse the candidate or freeze a bound. */
const MIN_STABLE_REQUESTS = 100

/** Bounds of the latency comparison, fixed before the data; evidence of the bounds is averaged. */
const COMPARED_BOUNDS_MS = [20, 50, 100, 200, 300, 500, 750, 1000, 2000, 5000] as const

/** Everything a check remembers: a few sums. Survives a restart; replaying the batches gives the same numbers. */
export const CheckState = z.object({
  name: z.string(),
  /** Log evidence per alternative (and per bound, for the latency comparison). */
  terms: z.array(z.number()),
  candidate: SideCountsSchema,
  stable: SideCountsSchema,
  /** Bound in ms chosen from stable's own latencies; `null` until there were enough of them. */
  boundMs: z.number().nullable(),
  /** Highest log evidence so far: a crossing is final, whatever comes later. */
  peakLogE: z.number(),
  crossedAt: z.number().nullable(),
})
export type CheckState = z.infer<typeof CheckState>

export type CheckVerdict = {
  verdict: 'worse' | 'not-worse' | 'watching' | 'no-data'
  logE: number
  /** Log evidence at which the check is decided. */
  threshold: number
  /** Why evidence that would suffice is not held against the candidate, or `null`. */
  excuse: string | null
}

export const newCheckState = (check: Check): CheckState => ({
  name: check.name,
  terms: [],
  candidate: noRequests(),
  stable: noRequests(),
  boundMs: check.kind === 'latency-limit' ? check.boundMs : null,
  peakLogE: 0,
  crossedAt: null,
})

/** Adds one batch. Batches may come in any order and at any weight. */
export function addBatch(check: Check, state: CheckState, batch: Batch): CheckState {
  if (batch.candidate.requests === 0 && batch.stable.requests === 0) return state
  const frozen = freezeBound(check, state)
  const counted = {
    ...frozen,
    candidate: addSides(frozen.candidate, batch.candidate),
    stable: addSides(frozen.stable, batch.stable),
  }
  const terms = termsAfter(check, counted, batch)
  const logE = logEvidence(terms)
  const peakLogE = Math.max(state.peakLogE, logE)
  // Evidence counts where it stands now: what piled up in a shared outage is no evidence once the outage is over.
  const crossed = logE >= thresholdOf(check) && excuseOf(check, counted) === null
  return { ...counted, terms, peakLogE, crossedAt: state.crossedAt ?? (crossed ? batch.at : null) }
}

export function verdictOf(check: Check, state: CheckState): CheckVerdict {
  const threshold = thresholdOf(check)
  const suffices = logEvidence(state.terms) >= threshold && state.crossedAt === null
  const excuse = suffices ? excuseOf(check, state) : null
  if (state.candidate.requests === 0) return { verdict: 'no-data', logE: 0, threshold, excuse }
  return { verdict: state.crossedAt === null ? 'watching' : 'worse', logE: state.peakLogE, threshold, excuse }
}

export const thresholdOf = (check: Check): number => Math.log(1 / check.alpha)

/** Requests on the bad side of a check, and all, for both versions. */
export function countsOf(check: Check, state: CheckState): { candidate: SideCount; stable: SideCount } {
  return {
    candidate: badOf(check, state.candidate, state.boundMs),
    stable: badOf(check, state.stable, state.boundMs),
  }
}

function termsAfter(check: Check, state: CheckState, batch: Batch): number[] {
  switch (check.kind) {
    case 'error-limit':
      return logTermsAgainstLimit(countsOf(check, state).candidate, check.limitShare)
    case 'latency-limit':
      return logTermsAgainstLimit(countsOf(check, state).candidate, P99_SLOW_SHARE)
    case 'errors-over-stable':
    case 'errors-compare': {
      const tolerance = {
        ratio: check.kind === 'errors-compare' ? check.ratio : 1,
        share: check.points / 100,
      }
      return addTerms(state.terms, logTermsAgainstStable(sidesOf(check, batch, null), tolerance))
    }
    case 'latency-over-stable':
      if (state.boundMs === null) return state.terms
      return addTerms(
        state.terms,
        logTermsAgainstLimit(badOf(check, batch.candidate, state.boundMs), P95_SLOW_SHARE),
      )
    case 'latency-compare': {
      const tolerance = { ratio: check.ratio, share: check.points / 100 }
      const terms = COMPARED_BOUNDS_MS.flatMap((boundMs) =>
        logTermsAgainstStable(sidesOf(check, batch, boundMs), tolerance, LATENCY_ALTERNATIVES),
      )
      return addTerms(state.terms, terms)
    }
  }
}

const sidesOf = (
  check: Check,
  batch: Batch,
  boundMs: number | null,
): { candidate: SideCount; stable: SideCount } => ({
  candidate: badOf(check, batch.candidate, boundMs),
  stable: badOf(check, batch.stable, boundMs),
})

function badOf(check: Check, side: SideCounts, boundMs: number | null): SideCount {
  switch (check.kind) {
    case 'error-limit':
    case 'errors-over-stable':
    case 'errors-compare':
      return { bad: side.errors, total: side.requests }
    case 'latency-limit':
    case 'latency-over-stable':
    case 'latency-compare':
      return {
        bad: boundMs === null ? 0 : countSlowerThan(side.latencyBuckets, boundMs),
        total: measured(side),
      }
  }
}

/** Requests with a latency: an aborted client has none. */
const measured = (side: SideCounts): number => side.latencyBuckets.reduce((sum, count) => sum + count, 0)

function addTerms(terms: readonly number[], more: readonly number[]): number[] {
  return more.map((term, index) => term + (terms[index] ?? 0))
}

/** Averages of e-processes are e-processes; the maximum would not be one. */
const logEvidence = (terms: readonly number[]): number => (terms.length === 0 ? 0 : logMeanExp(terms))

/** The bound of "p95 over N times stable's" is chosen once from stable's requests before it judges any of the candidate's. */
function freezeBound(check: Check, state: CheckState): CheckState {
  if (check.kind !== 'latency-over-stable' || state.boundMs !== null) return state
  if (measured(state.stable) < MIN_STABLE_REQUESTS) return state
  const p95 = quantileMs(state.stable.latencyBuckets, 0.95) ?? 0
  const bound = LATENCY_BOUNDS_MS.find((candidate) => candidate >= p95 * check.times)
  return bound === undefined ? state : { ...state, boundMs: bound }
}

/**
 * An absolute limit that stable breaches in the same time cannot tell the versions apart: a shared outage, or a
 * service that was always like this. The comparison with stable still judges.
 */
function excuseOf(check: Check, state: CheckState): string | null {
  const limit =
    check.kind === 'error-limit' ? check.limitShare : check.kind === 'latency-limit' ? P99_SLOW_SHARE : null
  if (limit === null) return null
  const { stable } = countsOf(check, state)
  if (stable.total < MIN_STABLE_REQUESTS || stable.bad / stable.total <= limit) return null
  return 'stable breaches this limit at the same time, so it does not tell the versions apart'
}
