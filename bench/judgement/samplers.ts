import { upperTail } from '../../src/core/analysis/kayenta/normal.ts'
import type { Uniform } from './random.ts'

/** Inversion starts at the probability of 0, which must not underflow: larger counts are drawn in parts, which is exact, too. */
const MOST_PER_PART = 30

/** How many of `trials` succeed, exactly, by inversion: the work is that of the result, not of the trials. */
export function binomial(uniform: Uniform, trials: number, share: number): number {
  if (share <= 0 || trials === 0) return 0
  if (share > 0.5) return trials - binomial(uniform, trials, 1 - share)
  const part = Math.max(1, Math.floor(MOST_PER_PART / share))
  let successes = 0
  for (let left = trials; left > 0; left -= part)
    successes += binomialPart(uniform, Math.min(left, part), share)
  return successes
}

function binomialPart(uniform: Uniform, trials: number, share: number): number {
  const odds = share / (1 - share)
  let weight = Math.exp(trials * Math.log1p(-share))
  let left = uniform()
  let successes = 0
  while (left >= weight && successes < trials) {
    left -= weight
    successes += 1
    weight *= ((trials - successes + 1) / successes) * odds
  }
  return successes
}

/** Events of a Poisson process, exactly. */
export function poisson(uniform: Uniform, mean: number): number {
  let events = 0
  for (let left = mean; left > 0; left -= MOST_PER_PART)
    events += poissonPart(uniform, Math.min(left, MOST_PER_PART))
  return events
}

/** Past this many the weights are 0 and the rest of the uniform number is rounding. */
const MOST_EVENTS = 10 * MOST_PER_PART

function poissonPart(uniform: Uniform, mean: number): number {
  let weight = Math.exp(-mean)
  let left = uniform()
  let events = 0
  while (left >= weight && events < MOST_EVENTS) {
    left -= weight
    events += 1
    weight *= mean / events
  }
  return events
}

/** Counts per bucket of `trials` draws. */
export function multinomial(uniform: Uniform, trials: number, shares: readonly number[]): number[] {
  let left = trials
  let rest = 1
  return shares.map((share, index) => {
    const isLast = index === shares.length - 1
    const count = isLast || rest <= 0 ? left : binomial(uniform, left, Math.min(1, share / rest))
    left -= count
    rest -= share
    return count
  })
}

/** Standard normal, by the polar method. */
function normal(uniform: Uniform): number {
  for (;;) {
    const x = 2 * uniform() - 1
    const y = 2 * uniform() - 1
    const size = x * x + y * y
    if (size > 0 && size < 1) return x * Math.sqrt((-2 * Math.log(size)) / size)
  }
}

/** Gamma with mean 1 and this coefficient of variation (at most 1), by the rejection of Marsaglia and Tsang. */
export function wobble(uniform: Uniform, variation: number): number {
  if (variation === 0) return 1
  const shape = 1 / variation ** 2
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = normal(uniform)
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(1 - uniform()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return (d * v) / shape
  }
}

/** Log-normal latencies: the share of each bucket, the last one open. */
export function bucketShares(
  boundsMs: readonly number[],
  { medianMs, sigma }: { medianMs: number; sigma: number },
): number[] {
  const above = boundsMs.map((bound) => upperTail(Math.log(bound / medianMs) / sigma))
  return [1, ...above].map((share, index) => share - (above[index] ?? 0))
}
