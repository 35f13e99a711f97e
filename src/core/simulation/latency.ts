import { LATENCY_BOUNDS_MS } from '../shared/histogram.ts'
import { binomial, type Chance } from './chance.ts'

/** Of the standard normal distribution. */
const Z_99 = 2.326_347_874
/** No latency spreads less than this. */
const LEAST_SIGMA = 0.01

/** Share of requests in each bucket, when latency is log-normal with these quantiles. */
export function bucketShares({ p50Ms, p99Ms }: { p50Ms: number; p99Ms: number }): number[] {
  const middle = Math.log(p50Ms)
  const sigma = Math.max(LEAST_SIGMA, (Math.log(p99Ms) - middle) / Z_99)
  const below = LATENCY_BOUNDS_MS.map((bound) => shareBelow((Math.log(bound) - middle) / sigma))
  return [...below, 1].map((share, index) => Math.max(0, share - (below[index - 1] ?? 0)))
}

/** So many requests dealt to the buckets. */
export function dealt(chance: Chance, requests: number, shares: readonly number[]): number[] {
  let [left, rest] = [requests, 1]
  return shares.map((share) => {
    const here = rest <= 0 ? 0 : binomial(chance, left, Math.min(1, share / rest))
    left -= here
    rest -= share
    return here
  })
}

/** The normal distribution function, by Abramowitz and Stegun 26.2.17; off by less than 1e-7. */
function shareBelow(z: number): number {
  const t = 1 / (1 + 0.231_641_9 * Math.abs(z))
  const polynomial =
    t * (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))))
  const tail = (Math.exp(-(z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial
  return z >= 0 ? 1 - tail : tail
}
