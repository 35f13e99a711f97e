import { describe, expect, it } from 'vitest'
import { simulatedSettings } from '../../testkit/simulator/settings.ts'
import { LATENCY_BUCKETS } from '../shared/histogram.ts'
import { type Batch, noRequests, type SideCounts } from './batch.ts'
import { chance, draw } from './chance.test.fixture.ts'
import { checksOf } from './check.ts'
import { addBatch, newCheckState, verdictOf } from './judge.ts'
import { describeCheck } from './sentence.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const compare = { errors: { ratio: 1, points: 0.1 }, latency: null, crashes: { ratio: 1 } }
const check = checksOf(simulatedSettings({ analysis: { compare } }).analysis).find(
  ({ kind }) => kind === 'crashes',
)

const side = (requests: number): SideCounts => ({
  requests,
  errors: 0,
  latencyBuckets: new Array<number>(LATENCY_BUCKETS).fill(0).with(3, requests),
})

type Minute = { candidate: number; stable: number; share?: number; instances?: number }

function judged(minutes: readonly Minute[]) {
  if (check === undefined) throw new Error('crashes are not compared')
  let state = newCheckState(check)
  const counted = { candidate: noRequests(), stable: noRequests() }
  for (const [index, { candidate, stable, share = 0.5, instances = 4 }] of minutes.entries()) {
    const exposure = (instances * MINUTE_MS) / HOUR_MS
    const batch: Batch = {
      at: (index + 1) * MINUTE_MS,
      sinceAt: index * MINUTE_MS,
      candidate: side(Math.round(1000 * share)),
      stable: side(Math.round(1000 * (1 - share))),
      requests: 1000,
      unroutable: 0,
      cutOnDrain: 0,
      crashes: { candidate: { events: candidate, exposure }, stable: { events: stable, exposure } },
    }
    const dispersion = { errors: 1, latency: 1 }
    state = addBatch(check, state, batch, { counted, dispersion, isWarmingUp: false })
  }
  const verdict = verdictOf(check, state, counted)
  const dispersion = { phi: 2, evidence: 'full', minutes: 60 } as const
  return {
    verdict: verdict.verdict,
    crossedAt: state.crossedAt,
    sentence: describeCheck(check, state, { verdict, counted, dispersion }).sentence,
  }
}

const minutes = (count: number, of: (minute: number) => Minute): Minute[] =>
  Array.from({ length: count }, (_, minute) => of(minute))

describe('crashes against stable', () => {
  it('does not judge by one crash of the candidate where stable never crashes', () => {
    expect(judged(minutes(600, (at) => ({ candidate: at === 10 ? 1 : 0, stable: 0 }))).verdict).toBe(
      'watching',
    )
  })

  it('is worse when there are many over a long time, and says how many', () => {
    const { verdict, sentence } = judged(
      minutes(600, (at) => ({ candidate: at % 10 === 0 ? 1 : 0, stable: 0 })),
    )
    expect(verdict).toBe('worse')
    expect(sentence).toMatch(
      /^crashes against stable: candidate 60 crashes in 1d16h of its instances, stable 0 crashes in 1d16h of its instances, limit stable's rate; fewer than 1 in/,
    )
  })

  it('blames nobody where stable crashes as often, in more rollouts than the budget has', () => {
    const random = chance(3)
    const rollouts = 150
    const found = Array.from({ length: rollouts }, () =>
      judged(minutes(600, () => ({ candidate: draw(random, 60, 0.002), stable: draw(random, 60, 0.002) }))),
    )
    expect(found.filter(({ verdict }) => verdict === 'worse').length / rollouts).toBeLessThanOrEqual(0.01)
  })

  it('does not blame a candidate with nearly all requests for crashes that come with them', () => {
    const { verdict } = judged(
      minutes(600, (at) => ({ candidate: at % 10 === 0 ? 1 : 0, stable: 0, share: 0.999 })),
    )
    expect(verdict).toBe('watching')
  })

  it('says nothing while only one version was seen', () => {
    expect(judged([]).verdict).toBe('no-data')
  })
})
