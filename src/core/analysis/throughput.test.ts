import { describe, expect, it } from 'vitest'
import { simulatedSettings } from '../../testkit/simulator/settings.ts'
import { LATENCY_BUCKETS } from '../shared/histogram.ts'
import { addSides, type Batch, noRequests, type SideCounts } from './batch.ts'
import { chance, draw } from './chance.test.fixture.ts'
import { type Check, checksOf } from './check.ts'
import { addBatch, newCheckState, verdictOf } from './judge.ts'
import { describeCheck } from './sentence.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const FIVE_MINUTES_MS = 5 * MINUTE_MS
const forLong = { throughputPercent: 50, overMs: FIVE_MINUTES_MS }
const settings = simulatedSettings({
  analysis: { critical: { errorRatePercent: 5, forLong }, warning: { throughputPercent: 50 } },
}).analysis
const checkNamed = (name: string): Check => {
  const found = checksOf(settings).find((check) => check.name === name)
  if (found === undefined) throw new Error(`no check ${name}`)
  return found
}
const warning = checkNamed('throughput (warning)')
const critical = checkNamed('throughput for long (critical)')

const side = (requests: number): SideCounts => {
  const latencyBuckets = new Array<number>(LATENCY_BUCKETS).fill(0)
  latencyBuckets[3] = requests
  return { requests, errors: 0, latencyBuckets }
}

type Answered = { candidate: number; stable: number; weight?: number | undefined; givenUp?: number }

/** One batch after the other; when it was found, in ms from the begin, or `null`. */
function judged(
  check: Check,
  batches: readonly Answered[],
  { everyMs = SECOND_MS, isWarmingUp = false }: { everyMs?: number; isWarmingUp?: boolean } = {},
) {
  let state = newCheckState(check)
  let counted = { candidate: noRequests(), stable: noRequests() }
  for (const [index, { candidate, stable, weight, givenUp = 0 }] of batches.entries()) {
    const batch: Batch = {
      at: (index + 1) * everyMs,
      sinceAt: index * everyMs,
      candidate: { ...side(candidate), requests: candidate + givenUp },
      stable: side(stable),
      requests: candidate + stable,
      unroutable: 0,
      cutOnDrain: 0,
      ...(weight === undefined ? {} : { weightPermille: weight }),
    }
    counted = {
      candidate: addSides(counted.candidate, batch.candidate),
      stable: addSides(counted.stable, batch.stable),
    }
    state = addBatch(check, state, batch, { counted, dispersion: { errors: 1, latency: 1 }, isWarmingUp })
  }
  const verdict = verdictOf(check, state, counted)
  const dispersion = { phi: 2, evidence: 'full', minutes: 60 } as const
  const { sentence } = describeCheck(check, state, { verdict, counted, dispersion })
  return { state, sentence, verdict: verdict.verdict, foundAt: state.crossedAt }
}

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

/** Both versions are alike. Requests come in bursts of so many; `together` sends a burst to one version as a whole. */
function alike(
  random: () => number,
  {
    weight,
    perBatch,
    burst,
    together,
  }: { weight: number; perBatch: number; burst: number; together: boolean },
): Answered {
  const bursts = draw(random, 2 * Math.ceil(perBatch / burst), 0.5)
  const requests = bursts * burst
  const candidate = together
    ? draw(random, bursts, weight / 1000) * burst
    : draw(random, requests, weight / 1000)
  return { candidate, stable: requests - candidate, weight }
}

describe('throughput', () => {
  it.each([50, 250, 500])(
    'finds no version that is like stable too slow, at %d per mille, with bursts, even where each goes to one version',
    (weight) => {
      const random = chance(weight)
      const rollouts = 60
      const found = { warning: 0, critical: 0 }
      for (const [burst, together] of [
        [1, false],
        [20, false],
        [5, true],
      ] as const)
        for (let rollout = 0; rollout < rollouts; rollout += 1) {
          const batches = times(360, () => alike(random, { weight, perBatch: 200, burst, together }))
          if (judged(warning, batches, { everyMs: 5 * SECOND_MS }).foundAt !== null) found.warning += 1
          if (judged(critical, batches, { everyMs: 5 * SECOND_MS }).foundAt !== null) found.critical += 1
        }
      expect(found).toEqual({ warning: 0, critical: 0 })
    },
  )

  it('finds no candidate too slow that answers just the half, in more rollouts than the budget has', () => {
    const random = chance(11)
    const rollouts = 200
    const found = times(rollouts, () => {
      const batches = times(120, () => {
        const { candidate, stable } = alike(random, { weight: 250, perBatch: 200, burst: 1, together: false })
        return { candidate: draw(random, candidate, 0.5), stable, weight: 250 }
      })
      return judged(warning, batches, { everyMs: 5 * SECOND_MS }).foundAt
    })
    expect(found.filter((at) => at !== null).length / rollouts).toBeLessThanOrEqual(0.01)
  })

  it.each([50, 250, 500])(
    'warns of a candidate that answers nothing after a minute, at %d per mille',
    (weight) => {
      const stable = Math.round(40 * (1 - weight / 1000))
      const { foundAt } = judged(
        warning,
        times(240, () => ({ candidate: 0, stable, weight })),
      )
      expect(foundAt).toBeGreaterThanOrEqual(MINUTE_MS)
      expect(foundAt).toBeLessThanOrEqual(2 * MINUTE_MS)
    },
  )

  it('does not take a client that gave up waiting for an answer', () => {
    const { foundAt } = judged(
      warning,
      times(240, () => ({ candidate: 0, givenUp: 40, stable: 40, weight: 500 })),
    )
    expect(foundAt).toBeLessThanOrEqual(2 * MINUTE_MS)
  })

  it('is critical once that has lasted for five minutes, and never before, however many requests there are', () => {
    const { foundAt } = judged(
      critical,
      times(400, () => ({ candidate: 100, stable: 5000, weight: 500 })),
    )
    expect(foundAt).toBeGreaterThanOrEqual(FIVE_MINUTES_MS)
    expect(foundAt).toBeLessThanOrEqual(FIVE_MINUTES_MS + 30 * SECOND_MS)
  })

  it('is not critical where long batches hold a short trouble', () => {
    const long = [{ candidate: 0, stable: 500_000, weight: 500 }]
    expect(judged(critical, long, { everyMs: 4 * FIVE_MINUTES_MS }).foundAt).toBeNull()
  })

  it('judges each batch by its own weight', () => {
    const rising = [50, 250, 500].flatMap((weight) =>
      times(120, () => ({ candidate: (40 * weight) / 1000, stable: 40 - (40 * weight) / 1000, weight })),
    )
    expect(judged(warning, rising).foundAt).toBeNull()
    const behind = rising.map((batch) => ({ ...batch, weight: 500 }))
    expect(judged(warning, behind).foundAt).not.toBeNull()
  })

  it('leaves out batches in which the share was changed or caches are cold', () => {
    const nothing = times(240, () => ({ candidate: 0, stable: 40 }))
    expect(judged(warning, nothing).verdict).toBe('no-data')
    const cold = times(240, () => ({ candidate: 0, stable: 40, weight: 500 }))
    expect(judged(warning, cold, { isWarmingUp: true }).verdict).toBe('no-data')
  })

  it('does not judge a candidate that has all traffic, and says so', () => {
    const all = times(240, () => ({ candidate: 1, stable: 0, weight: 1000 }))
    const { verdict, sentence } = judged(warning, all)
    expect(verdict).toBe('no-data')
    expect(sentence).toBe(
      'throughput (warning): at no time both versions had a share that stayed the same, so nothing tells what was due',
    )
  })

  it('says how many of the requests that were due it has answered', () => {
    const { sentence } = judged(
      warning,
      times(240, () => ({ candidate: 2, stable: 30, weight: 250 })),
    )
    expect(sentence).toMatch(
      /^throughput \(warning\): candidate 480 of 2,400 requests due, stable 7,200 answered, limit 50% of what is due for 1m or more; fewer than 1 in [\d,]+ healthy rollouts would look this bad/,
    )
  })
})
