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
  const { candidate, stable } = batch
  if (candidate.total === 0 || stable.total === 0) return alternatives.map(() => 0)
  const rho = candidate.total / (candidate.total + stable.total)
  return alternatives.map((worse) => {
    const psi = tolerance.ratio * worse
    const c = (rho * psi + 1 - rho) / (rho * tolerance.ratio + 1 - rho)
    const a = worse / c
    return (
      candidate.bad * Math.log(a) - stable.bad * Math.log(c) - candidate.total * tolerance.share * (a - 1)
    )
  })
}

/** Log of the average of exp(terms), stable for large values. */
export function logMeanExp(terms: readonly number[]): number {
  const highest = Math.max(...terms)
  if (!Number.isFinite(highest)) return highest
  const sum = terms.reduce((total, term) => total + Math.exp(term - highest), 0)
  return highest + Math.log(sum / terms.length)
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
