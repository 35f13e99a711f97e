import { expect, it } from 'vitest'
import { simulatedSettings } from '../../testkit/simulator/settings.ts'
import { bucketOf, LATENCY_BUCKETS } from '../shared/histogram.ts'
import { addSides, noRequests, type SideCounts } from './batch.ts'
import { checksOf } from './check.ts'
import { addBatch, newCheckState, thresholdOf, verdictOf } from './judge.ts'
import { ANALYSIS_METHOD } from './method.ts'

const CHECKS = checksOf(
  simulatedSettings({
    analysis: {
      compare: { errors: { ratio: 1, points: 0.1 }, latency: { ratio: 1, points: 10 } },
      critical: { errorRatePercent: 1, errorPointsOverStable: 5, p99Ms: 1000, p95TimesStable: 2 },
      warning: { errorRatePercent: 0.5, p99Ms: 500 },
      slo: { targetPercent: 99.9, windowMs: 30 * 86_400_000, slowerThanMs: null },
    },
  }).analysis,
)

/** Counts that vary, and are the same in every run. */
function side(requests: number, errors: number, slow: number): SideCounts {
  const latencyBuckets = new Array<number>(LATENCY_BUCKETS).fill(0)
  latencyBuckets[bucketOf(30)] = requests - slow
  latencyBuckets[bucketOf(1500)] = slow
  return { requests, errors, latencyBuckets }
}

/** What every check comes to after so many batches: enough digits to tell a change, too few to tell one machine from another. */
function figures(): string {
  let states = CHECKS.map(newCheckState)
  let counted = { candidate: noRequests(), stable: noRequests() }
  for (let number = 1; number <= 60; number += 1) {
    const sides = {
      candidate: side(50 + (number % 7), number % 3 === 0 ? 2 : 0, number % 5),
      stable: side(150 + (number % 11), number % 4 === 0 ? 1 : 0, number % 3),
    }
    const at = 60_000 * number
    const batch = { at, sinceAt: at - 60_000, ...sides, requests: 0, unroutable: 0, cutOnDrain: 0 }
    counted = {
      candidate: addSides(counted.candidate, sides.candidate),
      stable: addSides(counted.stable, sides.stable),
    }
    const context = { counted, dispersion: { errors: 1.5, latency: 2 }, isWarmingUp: number % 20 === 0 }
    states = CHECKS.map((check, index) =>
      addBatch(check, states[index] ?? newCheckState(check), batch, context),
    )
  }
  return CHECKS.map((check, index) => {
    const state = states[index] ?? newCheckState(check)
    const { verdict, logE } = verdictOf(check, state, counted)
    return `${check.name}: ${verdict} ${logE.toPrecision(6)} of ${thresholdOf(check).toPrecision(6)} at ${state.crossedAt}`
  }).join('\n')
}

const OF_METHOD_2 = `
errors against stable: worse 12.5743 of 5.99146 at 1800000
latency against stable: watching 0.00000 of 5.99146 at null
error rate (critical): watching 0.00000 of 7.37776 at null
errors over stable (critical): watching 0.00000 of 7.37776 at null
p99 latency (critical): worse 30.4239 of 7.37776 at 1080000
p95 over stable (critical): watching 0.00000 of 7.37776 at null
error rate (warning): worse 6.79423 of 6.68461 at 3600000
p99 latency (warning): worse 28.7671 of 6.68461 at 1080000
error budget (critical): watching 0.00000 of 5.99146 at null
error budget (warning): watching 1.58073 of 5.99146 at null`

it('is numbered: who changes how counts are judged raises the number, so that replays of older rollouts say so', () => {
  expect({ method: ANALYSIS_METHOD, figures: figures() }).toEqual({
    method: 2,
    figures: OF_METHOD_2.trim(),
  })
})
