import { describe, expect, it } from 'vitest'
import { chance, draw } from '../chance.test.fixture.ts'
import { addRequests, newSampleRatio, SampleRatioState, sampleRatioVerdict } from './sample-ratio.ts'

/** Requests of one batch, each on its own with this share for the candidate. */
function batchOf(random: () => number, total: number, share: number) {
  const candidate = draw(random, total, share)
  return { candidate, stable: total - candidate }
}

describe('the share of requests that the candidate gets', () => {
  it('is found too small when its traffic vanishes, with the weight of each batch', () => {
    let state = newSampleRatio()
    for (const [share, candidate] of [
      [0.05, 50],
      [0.25, 240],
      [0.5, 300],
    ] as const)
      state = addRequests(state, { candidate, stable: 1000 - candidate }, share)
    expect(sampleRatioVerdict(state, 0.01)).toMatchObject({ verdict: 'too-few' })
    expect(sampleRatioVerdict(state, 0.01).threshold).toBeCloseTo(Math.log(200), 12)
  })

  it('is found too large', () => {
    const state = addRequests(newSampleRatio(), { candidate: 100, stable: 900 }, 0.05)
    expect(sampleRatioVerdict(state, 0.01)).toMatchObject({ verdict: 'too-many' })
    expect(sampleRatioVerdict(state, 0.01).pValue).toBeLessThan(0.01)
  })

  it('is exactly the likelihood ratio of the multinomial, averaged', () => {
    const state = addRequests(newSampleRatio(), { candidate: 3, stable: 7 }, 0.2)
    const ratios = [1.1, 1.25, 1.5, 2, 3, 5, 10].map((odds) => {
      const share = (0.2 * odds) / (0.2 * odds + 0.8)
      return (share / 0.2) ** 3 * ((1 - share) / 0.8) ** 7
    })
    const many = Math.log(ratios.reduce((sum, ratio) => sum + ratio, 0) / 7)
    expect(state.peakMany).toBeCloseTo(Math.max(0, many), 12)
  })

  it('is as planned in all but few of the rollouts in which it is, though the weight rises', () => {
    const random = chance(4)
    const found = Array.from({ length: 200 }, () => {
      let state = newSampleRatio()
      for (let look = 0; look < 90; look += 1) {
        const share = [0.05, 0.25, 0.5][Math.floor(look / 30)] ?? 0.5
        state = addRequests(state, batchOf(random, 100, share), share)
      }
      return sampleRatioVerdict(SampleRatioState.parse(JSON.parse(JSON.stringify(state))), 0.05).verdict
    }).filter((verdict) => verdict !== 'as-planned')
    expect(found.length).toBeLessThanOrEqual(10)
  })

  it('is nothing to ask about at 0% and 100%, and without requests', () => {
    const none = newSampleRatio()
    expect(addRequests(none, { candidate: 0, stable: 900 }, 0)).toBe(none)
    expect(addRequests(none, { candidate: 900, stable: 0 }, 1)).toBe(none)
    expect(addRequests(none, { candidate: 0, stable: 0 }, 0.5)).toBe(none)
    expect(sampleRatioVerdict(none, 0.01)).toMatchObject({ verdict: 'as-planned', pValue: 1 })
  })
})
