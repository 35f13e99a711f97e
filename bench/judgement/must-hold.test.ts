import { describe, expect, it } from 'vitest'
import { measureCell, percentOf } from './cell.ts'
import { engine, kayenta, NAIVE_Z, POOLED, PRODUCT, provenFine, TABLE, threshold } from './judges.ts'
import { LATENCY_TABLE, measureLatency } from './latency.ts'
import { EQUAL, sharedOutage, steadyWorld, steppingWeights } from './worlds.ts'

// The promises of the engine in small, with fixed seeds: the same figures each time, until somebody changes the engine.
// `npm run bench -- judgement` measures them with thousands of runs.

const outcomesOf = (...given: Parameters<typeof measureCell>) => {
  const outcomes = measureCell(...given)
  return outcomes.map((outcome) => ({ percent: percentOf(outcome), median: outcome.medianSeconds }))
}

describe('the sequential engine', () => {
  it('rarely rolls back a good candidate, however often it looks', () => {
    const world = steadyWorld({ base: 0.5, rise: 0 }, EQUAL)
    const judges = [engine(TABLE), engine(PRODUCT), NAIVE_Z]
    const [table, product, naive] = outcomesOf(world, { name: 'good', runs: 300, judges })
    expect(table?.percent).toBeLessThanOrEqual(1)
    expect(product?.percent).toBeLessThanOrEqual(1)
    expect(naive?.percent).toBeGreaterThan(3)
  })

  it('finds 1.1% beside 0.1% within a minute at 20 requests a second, and 4.1% in 20 seconds', () => {
    const judges = [engine(TABLE), engine(PRODUCT)]
    const bad = (rise: number) =>
      outcomesOf(steadyWorld({ base: 0.1, rise }, EQUAL), { name: `bad ${rise}`, runs: 100, judges })
    const [table, product] = bad(1)
    expect([table?.percent, product?.percent]).toEqual([100, 100])
    expect(table?.median).toBeLessThanOrEqual(60)
    expect(product?.median).toBeLessThanOrEqual(120)
    expect(bad(4)[0]?.median).toBeLessThanOrEqual(20)
  })

  it('does not take an outage of both versions for a fault of the candidate', () => {
    const judges = [engine(TABLE), engine(PRODUCT), threshold(1)]
    const [table, product, minutes] = outcomesOf(sharedOutage, { name: 'outage', runs: 200, judges })
    expect(table?.percent).toBeLessThanOrEqual(1)
    expect(product?.percent).toBeLessThanOrEqual(1)
    expect(minutes?.percent).toBe(100)
  })

  it('does not take a weight that rises with the error rate for a fault, as pooled counts do', () => {
    const judges = [engine(TABLE), engine(PRODUCT), POOLED]
    const [table, product, pooled] = outcomesOf(steppingWeights, { name: 'Simpson', runs: 200, judges })
    expect(table?.percent).toBeLessThanOrEqual(1)
    expect(product?.percent).toBeLessThanOrEqual(1)
    expect(pooled?.percent).toBeGreaterThan(90)
  })

  it('is not fooled by rates that wobble by themselves once the factor is on', () => {
    const world = steadyWorld({ base: 1, rise: 0, variation: 0.5 }, EQUAL)
    const judges = [engine(TABLE), engine(PRODUCT)]
    const [without, product] = outcomesOf(world, { name: 'wobble', runs: 60, judges })
    expect(without?.percent).toBeGreaterThan(5)
    expect(product?.percent).toBeLessThanOrEqual(2)
  })

  it('proves within about two minutes that a good candidate is not 1 point worse', () => {
    const world = steadyWorld({ base: 1, rise: 0 }, EQUAL)
    const [fine] = outcomesOf(world, { name: 'fine', runs: 100, judges: [provenFine(TABLE)] })
    expect(fine?.percent).toBeGreaterThan(95)
    expect(fine?.median).toBeLessThanOrEqual(130)
  })

  it('finds latencies times 1.5 within 400 requests', () => {
    const { medianSeconds: requests } = measureLatency(LATENCY_TABLE, { times: 1.5, stableTimes: 1 }, 60)
    expect(requests).toBeLessThanOrEqual(400)
  })
})

it("Kayenta's judge needs its whole window for what the engine finds in a minute", () => {
  const world = steadyWorld({ base: 0.1, rise: 1 }, EQUAL)
  const [outcome] = outcomesOf(world, { name: 'kayenta', runs: 40, judges: [kayenta(10)] })
  expect(outcome).toEqual({ percent: 100, median: 600 })
})
