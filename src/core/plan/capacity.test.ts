import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { releaseRecord, type SettingsChange, simulatedSettings } from '../../testkit/simulator/settings.ts'
import type { ServiceSettings } from '../release/settings.ts'
import type { Result } from '../shared/result.ts'
import { simulate } from '../simulation/simulate.ts'
import type { Simulation } from '../simulation/simulation.ts'
import { capacityOf, percentOfStable } from './capacity.ts'
import { composePlan } from './compose.ts'
import type { Plan } from './plan.ts'

/** `before`: settings of stable, apart from its size. */
type Sizes = {
  stable: number | null
  settings: ServiceSettings
  before?: ServiceSettings
  kind?: 'deploy' | 'full'
}

function planOf({ stable, settings, before = simulatedSettings(), kind = 'deploy' }: Sizes): Plan {
  const sized = (replicas: number) => ({ ...before, run: { ...before.run, replicas } })
  const content = composePlan({
    release: releaseRecord('1.1.0', settings),
    stable: stable === null ? null : releaseRecord('1.0.0', sized(stable)),
    ...{ candidate: null, kind, back: null, actor: 'ada', now: 1_700_000_000_000, warnings: [] },
    history: { provisionMs: null, drainMs: null, trafficOffMs: [] },
  })
  return { ...content, id: 'plan-1', hash: 'h' }
}
const capacity = (sizes: Sizes) =>
  capacityOf(planOf(sizes), { stable: sizes.stable ?? 0, settings: sizes.settings })

function carriedOut(plan: Plan, settings: ServiceSettings): Simulation {
  const script = { seed: 1, parts: [], people: [] }
  const steps = simulate({ plan, settings, script, limitMs: 3_600_000 })
  for (;;) {
    const { done, value }: IteratorResult<undefined, Result<Simulation>> = steps.next()
    if (done !== true) continue
    if (value.kind === 'failed') throw new Error(value.problem.message)
    return value.value
  }
}

describe('the capacity of a plan', () => {
  it('is stable and the candidate for a canary, and twice of it for blue-green', () => {
    const canary = capacity({ stable: 4, settings: simulatedSettings({ replicas: 4 }) })
    expect(canary.peak).toEqual({ percent: 200, formula: 'stable 4, and the candidate 4' })
    expect(canary.steps.map(({ capacityPercent }) => capacityPercent)).toContain(200)
    expect(canary.steps.at(-1)?.capacityPercent).toBe(100)
    expect(capacity({ stable: 2, settings: simulatedSettings({ blueGreen: {} }) }).peak).toEqual({
      percent: 200,
      formula: 'stable 2, and a whole second set of 2',
    })
    expect(capacity({ stable: 2, settings: simulatedSettings({ replicas: 3 }) }).peak.percent).toBe(250)
  })

  it('is stable and its surge for rolling', () => {
    const rolling = capacity({ stable: 6, settings: simulatedSettings({ replicas: 6, rolling: {} }) })
    expect(rolling.peak).toEqual({ percent: 117, formula: 'stable 6, and a surge of 1' })
    const full = capacity({
      stable: 6,
      settings: simulatedSettings({ replicas: 6, rolling: { surge: 0, unavailable: 1 } }),
    })
    expect(full.peak).toEqual({ percent: 100, formula: 'stable 6, which makes room first' })
  })

  it('of workers that finish what they have is both sets, whatever the batches', () => {
    const worker = simulatedSettings({ replicas: 4 })
    const quiesce = { signal: 'SIGUSR1', graceMs: 60_000 } as const
    const lingering = { ...worker, listen: null, run: { ...worker.run, quiesce } }
    expect(capacity({ stable: 4, settings: lingering, before: lingering }).peak).toEqual({
      percent: 200,
      formula: 'stable 4, which may still finish what it has, and the candidate 4',
    })
  })

  it('has no percentage where nothing is stable', () => {
    expect(capacity({ stable: null, settings: simulatedSettings() }).peak).toEqual({
      percent: null,
      formula: 'the first release alone, 2',
    })
    expect(percentOfStable(3, 0)).toBeNull()
  })

  const strategies: SettingsChange[] = [
    {},
    { blueGreen: {} },
    { rolling: {} },
    { rolling: { surge: 2, unavailable: 1 } },
  ]

  it('is what really runs at the peak, whatever the sizes and the strategy', () => {
    const size = fc.integer({ min: 1, max: 7 })
    fc.assert(
      fc.property(
        fc.option(size),
        size,
        fc.constantFrom(...strategies),
        fc.boolean(),
        (stable, replicas, strategy, isFull) => {
          const settings = simulatedSettings({ replicas, ...strategy })
          const plan = planOf({ stable, settings, kind: isFull ? 'full' : 'deploy' })
          const simulation = carriedOut(plan, settings)
          expect(simulation.outcome).toBe('promoted')
          expect(simulation.peakInstances).toBe(plan.peakInstances)
        },
      ),
      { numRuns: 25 },
    )
  })
})
