import { describe, expect, it } from 'vitest'
import { compareArms } from './ab-result.ts'
import { chance, draw } from './chance.test.fixture.ts'

const arm = (goals: number, share: number) => ({ share, users: 0, goals })
const ALPHA = 0.05

/** Looks at the result after each batch; the verdicts that were ever said. */
function run(seed: number, rates: { variant: number; control: number }, batches = 60) {
  const random = chance(seed)
  const [variant, control] = [arm(0, 0.25), arm(0, 0.5)]
  const said = new Set<string>()
  let covers = true
  for (let batch = 0; batch < batches; batch += 1) {
    variant.goals += draw(random, 250, rates.variant)
    control.goals += draw(random, 500, rates.control)
    const { verdict, low, high } = compareArms(variant, control, ALPHA)
    said.add(verdict)
    const truth = rates.variant / rates.control
    covers &&= low <= truth && (high === null || truth <= high)
  }
  return { said, covers, last: compareArms(variant, control, ALPHA) }
}

describe('comparison of arms', () => {
  it('says nothing before there is anything', () => {
    expect(compareArms(arm(0, 0.5), arm(0, 0.5), ALPHA)).toMatchObject({
      ...{ verdict: 'open', ratio: null, low: 0, high: null, confidencePercent: 95 },
    })
  })

  it('counts against the shares: as many goals with half of the users is twice as often', () => {
    expect(compareArms(arm(100, 0.25), arm(100, 0.5), ALPHA).ratio).toBeCloseTo(2)
  })

  it('is open when both are alike, better or worse when they are clearly not', () => {
    expect(compareArms(arm(500, 0.5), arm(500, 0.5), ALPHA).verdict).toBe('open')
    expect(compareArms(arm(700, 0.5), arm(500, 0.5), ALPHA).verdict).toBe('better')
    expect(compareArms(arm(500, 0.5), arm(700, 0.5), ALPHA).verdict).toBe('worse')
  })

  it('is the same seen from the other side', () => {
    const one = compareArms(arm(130, 0.3), arm(160, 0.5), ALPHA)
    const other = compareArms(arm(160, 0.5), arm(130, 0.3), ALPHA)
    expect(one.low).toBeCloseTo(1 / (other.high ?? Number.NaN), 6)
  })

  it('calls a variant that is no different different in at most 5% of tests, looked at 60 times each', () => {
    const runs = Array.from({ length: 300 }, (_, seed) => run(seed, { variant: 0.05, control: 0.05 }))
    const wrong = runs.filter(({ said }) => said.has('better') || said.has('worse')).length
    // At most 15 are due of 300; more than 27 would happen less often than once in 1000 if it were 5%.
    expect(wrong).toBeLessThanOrEqual(27)
  })

  it('holds the true ratio in its interval at every look in at least 95% of tests, whatever it is', () => {
    for (const variant of [0.04, 0.05, 0.1]) {
      const runs = Array.from({ length: 100 }, (_, seed) => run(seed, { variant, control: 0.05 }))
      expect(runs.filter(({ covers }) => covers).length).toBeGreaterThanOrEqual(89)
    }
  })

  it('finds a variant that is a half better', () => {
    const runs = Array.from({ length: 40 }, (_, seed) => run(seed, { variant: 0.075, control: 0.05 }))
    expect(runs.filter(({ last }) => last.verdict === 'better').length).toBeGreaterThan(32)
  })
})
