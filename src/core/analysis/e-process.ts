/**
 * Count-based e-processes: evidence that may be looked at after every batch. `E >= 1/alpha` at any time happens with
 * probability at most alpha when nothing is wrong (Ville's inequality). All values are natural logarithms.
 *
 * The bound used is E[prod a^x b^y] <= exp(sum p(a-1) + sum q(b-1)), from ln(1+u) <= u; it holds for Bernoulli
 * requests with rates that vary in time and for Poisson counts. For constant shares it is close to the multinomial
 * test of Lindon & Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 2022.
 */

/** How many times worse than the tolerated rate the alternatives are. Their average is one e-process. */
export const ALTERNATIVES = [1.5, 2, 3, 5, 10, 30, 100] as const

/** Finer alternatives for latency, where shares rise by small factors. */
export const LATENCY_ALTERNATIVES = [1.1, 1.25, 1.5, 2, 3, 5, 10] as const

/** How many times better than "worse by the share to notice" the alternatives are, for "proven not worse". */
export const BETTER_ALTERNATIVES = [0.02, 0.05, 0.1, 0.2, 0.4, 0.7] as const

/** Finer ones for latency: below the median of a histogram the share to notice is small beside the share there is. */
export const LATENCY_BETTER_ALTERNATIVES = [0.4, 0.7, 0.85, 0.92, 0.96, 0.98, 0.99] as const

export type SideCount = { bad: number; total: number }
export type Tolerance = { ratio: number; share: number }

/**
 * Log evidence against "the candidate's rate is at most `limitShare`", one term per alternative. Depends on the sums
 * only, so it can be recomputed from the totals at any time.
 */
export function logTermsAgainstLimit({ bad, total }: SideCount, limitShare: number): number[] {
  return ALTERNATIVES.map((worse) => bad * Math.log(worse) - total * limitShare * (worse - 1))
}

/**
 * One batch's log evidence against "candidate rate <= ratio * stable rate + share", one term per alternative.
 * Terms of batches add up. A batch that lacks one side says nothing. Batches of different weights must not be pooled
 * first (Simpson's paradox): the split inside the batch is what the test conditions on.
 */
export function logTermsAgainstStable(
  batch: { candidate: SideCount; stable: SideCount },
  tolerance: Tolerance,
  alternatives: readonly number[] = ALTERNATIVES,
): number[] {
  return logTermsOfEach([batch], tolerance, alternatives)
}

/** The terms of several counts of one batch, one after the other. Where their totals are equal, as for the bounds of a histogram, the weights are computed once. */
export function logTermsOfEach(
  pairs: readonly { candidate: SideCount; stable: SideCount }[],
  tolerance: Tolerance,
  alternatives: readonly number[],
): number[] {
  let totals: readonly [number, number] | null = null
  let weights: readonly Weights[] = []
  return pairs.flatMap(({ candidate, stable }) => {
    if (candidate.total === 0 || stable.total === 0) return alternatives.map(() => 0)
    if (totals?.[0] !== candidate.total || totals[1] !== stable.total) {
      totals = [candidate.total, stable.total]
      weights = alternatives.map((worse) => weightsOf(candidate.total, stable.total, { tolerance, worse }))
    }
    return weights.map(({ logA, logC, drift }) => candidate.bad * logA - stable.bad * logC - drift)
  })
}

type Weights = { logA: number; logC: number; drift: number }

/**
 * What one bad request counts for in a batch of `n` candidate and `m` stable requests: `logA` on the candidate's side,
 * `-logC` on stable's; `drift` is what the tolerated share costs. With log1p, since a or c is close to 1 when one side is
 * tiny beside the other, and its logarithm is then multiplied by a large count.
 */
export function weightsOf(
  n: number,
  m: number,
  { tolerance, worse }: { tolerance: Tolerance; worse: number },
): Weights {
  const tolerated = tolerance.ratio * n
  const all = tolerated + m
  const rise = (tolerated / all) * (worse - 1)
  const logC = Math.log1p(rise)
  const above = ((worse - 1) * (m / all)) / (1 + rise)
  return { logA: Math.log1p(above), logC, drift: n * tolerance.share * above }
}

/**
 * Log of the average of exp(terms), stable for large values; of the terms `from` (inclusive) to `to` (exclusive), all by
 * default. Every evaluation of every rollout comes here for each check, so it makes no arrays on the way.
 */
export function logMeanExp(terms: readonly number[], from = 0, to = terms.length): number {
  let highest = Number.NEGATIVE_INFINITY
  for (let at = from; at < to; at += 1) highest = Math.max(highest, terms[at] ?? 0)
  if (!Number.isFinite(highest)) return highest
  let sum = 0
  for (let at = from; at < to; at += 1) sum += Math.exp((terms[at] ?? 0) - highest)
  return highest + Math.log(sum / (to - from))
}

/** The rate that the evidence shows to be exceeded, at confidence 1 - alpha; 0 when nothing is shown. */
export function lowerBoundOfRate(count: SideCount, alpha: number): number {
  if (count.total === 0 || count.bad === 0) return 0
  const threshold = Math.log(1 / alpha)
  let low = 0
  let high = count.bad / count.total
  for (let round = 0; round < 50; round += 1) {
    const middle = (low + high) / 2
    if (logMeanExp(logTermsAgainstLimit(count, middle)) >= threshold) low = middle
    else high = middle
  }
  return low
}
