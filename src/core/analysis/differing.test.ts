import { describe, expect, it } from 'vitest'
import { simulatedSettings } from '../../testkit/simulator/settings.ts'
import { shadowOf } from '../../testkit/traffic.ts'
import type { ServiceCounts } from '../shared/traffic-counts.ts'
import { addSides, type Batch, noRequests } from './batch.ts'
import { chance, draw } from './chance.test.fixture.ts'
import { alphaPerGroup, type Check, checksOf } from './check.ts'
import { batchBetween, cursorOf } from './counts-cursor.ts'
import { addBatch, newCheckState, verdictOf } from './judge.ts'
import { describeCheck } from './sentence.ts'

const asked = simulatedSettings({ analysis: { differingPercent: 1 } }).analysis
const unasked = simulatedSettings().analysis
const differing = (settings = asked): Check | undefined =>
  checksOf(settings).find(({ kind }) => kind === 'differing')

type Pairs = { answered: number; status?: number; body?: number; unknown?: number }

/** One batch after the other, each after a second. */
function judged(batches: readonly Pairs[]) {
  const check = differing()
  if (check === undefined) throw new Error('there is no such check')
  let state = newCheckState(check)
  const counted = { candidate: noRequests(), stable: noRequests() }
  for (const [index, { answered, status = 0, body = 0, unknown = 0 }] of batches.entries()) {
    const side = { ...noRequests(), requests: answered }
    counted.candidate = addSides(counted.candidate, side)
    counted.stable = addSides(counted.stable, side)
    const shadow = { answered, statusDiffers: status, bodyDiffers: body, bodyUnknown: unknown }
    const batch: Batch = {
      ...{ at: (index + 1) * 1000, sinceAt: index * 1000, candidate: side, stable: side },
      ...{ requests: answered, unroutable: 0, cutOnDrain: 0 },
      shadow: { ...shadow, busy: 0, large: 0, unfinished: 0 },
    }
    state = addBatch(check, state, batch, {
      counted,
      dispersion: { errors: 1, latency: 1 },
      isWarmingUp: false,
    })
  }
  const verdict = verdictOf(check, state, counted)
  const dispersion = { phi: 2, evidence: 'full', minutes: 60 } as const
  return { verdict: verdict.verdict, ...describeCheck(check, state, { verdict, counted, dispersion }) }
}
const often = (pairs: Pairs, times: number): Pairs[] => Array.from({ length: times }, () => pairs)

describe('answers of a shadow that differ', () => {
  it('are asked for only where a limit is set, and share the budget of false alarms then', () => {
    expect(differing(unasked)).toBeUndefined()
    expect(alphaPerGroup(unasked)).toBeCloseTo(0.01 / 3)
    expect(alphaPerGroup(asked)).toBeCloseTo(0.01 / 4)
    expect(differing()?.alpha).toBeCloseTo(0.01 / 4)
  })

  it('are no verdict before any was compared', () => {
    expect(judged([])).toMatchObject({
      verdict: 'no-data',
      sentence: 'differing answers: no answers were compared yet',
    })
    expect(judged([{ answered: 0 }]).verdict).not.toBe('worse')
  })

  it('are worse once they are shown to be more than the limit, by status or by body', () => {
    expect(judged(often({ answered: 50, body: 5 }, 10)).verdict).toBe('worse')
    expect(judged(often({ answered: 50, status: 5 }, 10)).verdict).toBe('worse')
    const { sentence, candidate, stable, threshold } = judged(often({ answered: 50, body: 25 }, 2))
    expect([candidate, stable, threshold]).toEqual(['50.0% differ (50 of 100)', 'the measure', '1%'])
    expect(sentence).toContain(
      'differing answers: candidate 50.0% differ (50 of 100), stable the measure, limit 1%',
    )
  })

  it('are watched below the limit, and what was not compared counts for nothing', () => {
    expect(judged(often({ answered: 100, body: 1 }, 50)).verdict).toBe('watching')
    expect(judged(often({ answered: 100, unknown: 100 }, 50))).toMatchObject({
      verdict: 'watching',
      sentence: 'differing answers: no answers were compared yet',
    })
  })

  it('condemn hardly any candidate that keeps to the limit, however often one looks', () => {
    let wrong = 0
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = chance(seed)
      const batches = Array.from({ length: 60 }, () => ({ answered: 40, body: draw(random, 40, 0.01) }))
      if (judged(batches).verdict === 'worse') wrong += 1
    }
    expect(wrong).toBeLessThanOrEqual(3)
  })
})

describe('the batch of a shadow', () => {
  const counts = (boot: string, pairs: number, salt = 'r1'): ServiceCounts => {
    const empty = shadowOf(salt, 'b')
    const side = { ...empty.candidate, requests: pairs, errors: 1 }
    const shadow = { ...empty, candidate: side, stable: side, answered: pairs, bodyDiffers: 2 }
    return { service: 'shop.local', boot, releases: [], unroutable: 0, refused: 0, shadow }
  }
  const between = (last: ServiceCounts, next: ServiceCounts, shadow: string | null = 'r1') =>
    batchBetween(cursorOf(last, 1), cursorOf(next, 2), { candidate: 'b', stable: 'a', shadow })

  it('holds what was counted of copies since the last look', () => {
    const batch = between(counts('1', 10), counts('1', 35))
    expect(batch).toMatchObject({ candidate: { requests: 25, errors: 0 }, stable: { requests: 25 } })
    expect(batch.shadow).toMatchObject({ answered: 25, bodyDiffers: 0 })
  })

  it('counts from zero with a new process, and with another rollout', () => {
    expect(between(counts('1', 30), counts('2', 7)).candidate.requests).toBe(7)
    expect(between(counts('1', 30, 'r0'), counts('1', 7)).candidate.requests).toBe(7)
    expect(between(counts('1', 30), counts('1', 37, 'r2')).shadow?.answered).toBe(0)
  })

  it('is no shadow where nothing is copied any more', () => {
    const batch = between(counts('1', 10), counts('1', 35), null)
    expect([batch.shadow, batch.candidate.requests]).toEqual([undefined, 0])
  })
})
