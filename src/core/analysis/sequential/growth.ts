import { logTermsAgainstStable, type SideCount, type Tolerance } from '../e-process.ts'
import { sizeOf } from './batch.ts'
import type { Metric } from './metric.ts'
import { betterAlternatives, countsOf, noticeOf, toleranceOf, worseAlternatives } from './question.ts'
import type { SequentialState } from './state.ts'

/** Of a histogram one bound stands for all: the one that this share of stable's requests lies above, or the nearest. */
const TAIL_SHARE = 0.05

export type Needed = {
  /** Candidate requests (or exposure) still needed to notice a rise of `notice.points` from now on; `null`: it never would. */
  toNotice: number | null
  /** Those still needed to rule it out if the candidate goes on like stable; `null`: this method cannot at such a share. */
  toRuleOut: number | null
}

type Budget = { alpha: number; beta: number }

/**
 * How much more is needed at the split and at stable's share so far, from the growth of the evidence for each request:
 * n = (threshold + ln K - what is there) / growth, with the alternative that is through first. Medians are a bit lower.
 */
export function requestsNeeded(metric: Metric, state: SequentialState, { alpha, beta }: Budget): Needed {
  const { counted, compared } = state
  if (counted === null || compared === 0) return { toNotice: null, toRuleOut: null }
  const perRequest = sizeOf(counted.stable) / sizeOf(counted.candidate)
  const shares = countsOf(metric, counted.stable).map(({ bad, total }) => bad / total)
  const ruledOut = partsOf(metric, shares).map((part, index, { length }) =>
    firstThrough({
      growth: growthOf(metric, { ...part, perRequest, candidate: part.share }, RULE_OUT),
      sums: partAt(state.fine, index, length),
      needed: Math.log(betterAlternatives(metric).length / beta),
    }),
  )
  const [first] = partsOf(metric, shares)
  const bound = representativeBound(shares)
  const share = shares[bound] ?? 0
  const isSwapped = first?.isSwapped === true
  const rise = metric.notice.points / 100
  const candidate = isSwapped ? Math.max(0, share - rise) : share + rise
  const parts = partsOf(metric, shares).length
  return {
    toNotice: firstThrough({
      growth: growthOf(metric, { share, isSwapped, perRequest, candidate }, NOTICE),
      sums: partAt(state.worse, bound, parts),
      // All bounds of a histogram share one average, and all directions one budget.
      needed: Math.log((parts * worseAlternatives(metric).length) / alpha),
    }),
    toRuleOut: ruledOut.includes(null) ? null : Math.max(...ruledOut.map((requests) => requests ?? 0)),
  }
}

/** Stable's share at one bucket bound, or in one direction: each has sums of its own in the state. */
type Part = { share: number; isSwapped: boolean }

function partsOf(metric: Metric, shares: readonly number[]): Part[] {
  if (metric.kind === 'histogram') return shares.map((share) => ({ share, isSwapped: false }))
  const [share = 0] = shares
  const more = { share, isSwapped: false }
  const less = { share, isSwapped: true }
  switch (metric.direction) {
    case 'more-is-worse':
      return [more]
    case 'less-is-worse':
      return [less]
    case 'either':
      return [more, less]
  }
}

type Asked = {
  toleranceOf: (metric: Metric) => Tolerance
  alternatives: (metric: Metric) => readonly number[]
}
const NOTICE: Asked = { toleranceOf, alternatives: worseAlternatives }
const RULE_OUT: Asked = { toleranceOf: noticeOf, alternatives: betterAlternatives }

type Ahead = Part & { candidate: number; perRequest: number }

/** What each alternative gains with one more request of the candidate and those of stable beside it. */
function growthOf(
  metric: Metric,
  { share, isSwapped, candidate, perRequest }: Ahead,
  asked: Asked,
): number[] {
  const ours: SideCount = { bad: candidate, total: 1 }
  const theirs: SideCount = { bad: share * perRequest, total: perRequest }
  const pair = isSwapped ? { candidate: theirs, stable: ours } : { candidate: ours, stable: theirs }
  return logTermsAgainstStable(pair, asked.toleranceOf(metric), asked.alternatives(metric)).map(
    (term) => term / metric.dispersion,
  )
}

/** Index of the bound whose share of stable is nearest to the tail. */
export function representativeBound(shares: readonly number[]): number {
  const distances = shares.map((share) => Math.abs(share - TAIL_SHARE))
  return Math.max(0, distances.indexOf(Math.min(...distances)))
}

function partAt(sums: readonly number[], index: number, parts: number): number[] {
  const length = sums.length / parts
  return sums.slice(index * length, (index + 1) * length)
}

type Race = { growth: readonly number[]; sums: readonly number[]; needed: number }

function firstThrough({ growth, sums, needed }: Race): number | null {
  const requests = growth.flatMap((step, index) =>
    step > 0 ? [Math.ceil(Math.max(0, needed - (sums[index] ?? 0)) / step)] : [],
  )
  return requests.length === 0 ? null : Math.min(...requests)
}
