import { addToBaseline, type BaselineFacts, factsOf, newBaseline } from '../analysis/baseline.ts'
import type { ReleaseRef } from '../rollout/view/view.ts'
import { binomial, chanceOf, poisson } from './chance.ts'
import { bucketShares, dealt } from './latency.ts'
import { rateAt, type Script, sideAt } from './script.ts'

const MINUTE_MS = 60_000
const MINUTES = 60

/**
 * The baseline of an hour in which stable did what the script says of it at its beginning: a service that is released is
 * mostly one that has run for a while.
 */
export function hourBefore(script: Script, stable: ReleaseRef, beginsAt: number): BaselineFacts {
  const chance = chanceOf(script.seed + 1)
  const { errorRatePercent, p50Ms, p99Ms } = sideAt(script, 'stable', 0)
  const shares = bucketShares({ p50Ms, p99Ms })
  const since = beginsAt - MINUTES * MINUTE_MS
  let baseline = newBaseline(stable, since)
  for (let minute = 0; minute < MINUTES; minute += 1) {
    const requests = poisson(chance, (rateAt(script, 0) * MINUTE_MS) / 1000)
    const errors = binomial(chance, requests, errorRatePercent / 100)
    const sinceAt = since + minute * MINUTE_MS
    const span = { sinceAt, at: sinceAt + MINUTE_MS, use: null }
    baseline = addToBaseline(
      baseline,
      { requests, errors, latencyBuckets: dealt(chance, requests, shares) },
      span,
    )
  }
  return factsOf(baseline)
}
