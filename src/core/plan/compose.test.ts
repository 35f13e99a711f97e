import { describe, expect, it } from 'vitest'
import { releaseRecord, simulatedSettings } from '../../testkit/simulator/settings.ts'
import type { PlanInput } from './compose.ts'
import { composePlan, hashedPart } from './compose.ts'

const settings = simulatedSettings()
const input = (change: Partial<PlanInput> = {}): PlanInput => ({
  release: releaseRecord('1.1.0', settings),
  stable: releaseRecord('1.0.0', settings),
  candidate: null,
  kind: 'deploy',
  back: null,
  history: { provisionMs: 4000, drainMs: 1000, trafficOffMs: [] },
  actor: 'ada',
  now: 1,
  warnings: [],
  ...change,
})
const kinds = (plan: ReturnType<typeof composePlan>) => plan.steps.map(({ step }) => step.kind)

describe('a plan', () => {
  it('of a canary rises, watches, and only then lets the old set go', () => {
    const plan = composePlan(input())
    expect(plan.kind).toBe('deploy')
    expect(kinds(plan)).toEqual([
      'provision',
      'traffic',
      'observe',
      'traffic',
      'observe',
      'traffic',
      'observe',
      'traffic',
      'watch',
      'promote',
      'drain',
      'retire',
    ])
    expect(plan.expectedMs).toBe(4000 + 30_000 + 30_000 + 1000)
    expect(plan.peakInstances).toBe(4)
  })

  it('of a first release has no stages (S1), a rollback has no analysis, and what is stable needs nothing', () => {
    expect(kinds(composePlan(input({ stable: null })))).toEqual(['provision', 'traffic', 'promote'])
    expect(kinds(composePlan(input({ kind: 'rollback' })))).toEqual([
      'provision',
      'traffic',
      'promote',
      'drain',
      'retire',
    ])
    expect(composePlan(input({ stable: releaseRecord('1.1.0', settings) }))).toMatchObject({
      kind: 'none',
      steps: [],
      changes: [],
    })
  })

  it('of a canary by share says that users are on the candidate when it grows', () => {
    const byShare = simulatedSettings({ replicas: 4, strategy: { instances: 'share' } })
    const { steps } = composePlan(input({ release: releaseRecord('1.1.0', byShare) }))
    const [first, second] = steps.filter(({ step }) => step.kind === 'provision')
    expect(first?.rollback).toMatch(/^No traffic has moved/)
    expect(second?.rollback).toMatch(/^One change of weight: all traffic back to 1.0.0/)
  })

  it('of an A/B test says at its decision that users are on the candidate', () => {
    const ab = simulatedSettings({ ab: {} })
    const { steps } = composePlan(input({ release: releaseRecord('1.1.0', ab) }))
    const gate = steps.find(({ step }) => step.kind === 'gate')
    expect(gate?.label).toBe('wait for the decision by hand')
    expect(gate?.rollback).toMatch(/^One change of weight: all traffic back to 1.0.0/)
  })

  it('of a worker speaks of its share and not of traffic', () => {
    const worker = { ...simulatedSettings({ replicas: 4 }), listen: null }
    const { steps } = composePlan(input({ release: releaseRecord('1.1.0', worker) }))
    expect(steps.map(({ label }) => label).join()).not.toContain('traffic')
    expect(steps[1]?.label).toBe('share 33.3%')
  })

  it('waits for a person as long as it takes, so it has no expected duration', () => {
    const steps = [
      { weightPermille: 50, pauseMs: null, criteria: {} },
      { weightPermille: 1000, pauseMs: 0, criteria: {} },
    ]
    const plan = composePlan(
      input({ release: releaseRecord('1.1.0', simulatedSettings({ strategy: { steps } })) }),
    )
    expect(plan.expectedMs).toBeNull()
    expect(plan.steps.map(({ label }) => label)).toContain('wait for promotion')
  })

  it('hashes what would be done, not who asked or when', () => {
    expect(
      hashedPart(
        composePlan(
          input({ actor: 'bob', now: 99, history: { provisionMs: 1, drainMs: null, trafficOffMs: [7] } }),
        ),
      ),
    ).toEqual(hashedPart(composePlan(input())))
    expect(
      hashedPart(composePlan(input({ release: releaseRecord('1.1.0', simulatedSettings({ replicas: 3 })) }))),
    ).not.toEqual(hashedPart(composePlan(input())))
  })

  it('says what the way back took before, beside what it may take', () => {
    const ways = (trafficOffMs: number[]) =>
      composePlan(input({ history: { provisionMs: null, drainMs: null, trafficOffMs } })).steps.map(
        ({ rollback }) => rollback,
      )
    expect(ways([])[1]).toMatch(/within 5m\.$/)
    expect(ways([40, 120, 51])[1]).toMatch(/within 5m; measured in the last 3: median 51ms, worst 120ms\.$/)
    expect(ways([40])[0]).not.toContain('measured')
  })

  it('names what changes between the releases, secrets only by version', () => {
    const to = { ...releaseRecord('1.1.0', simulatedSettings({ replicas: 3 })), secretVersions: { KEY: 'b' } }
    const from = { ...releaseRecord('1.0.0', settings), secretVersions: { KEY: 'a' } }
    const { changes } = composePlan(input({ release: to, stable: from }))
    expect(changes).toContainEqual({ path: 'run.replicas', from: '2', to: '3' })
    expect(changes).toContainEqual({ path: 'secrets.KEY', from: 'version a', to: 'version b' })
    expect(changes).toContainEqual({ path: 'version', from: '1.0.0', to: '1.1.0' })
  })

  it('warns of one replica and of a first stage with everybody', () => {
    const steps = [{ weightPermille: 1000, pauseMs: 0, criteria: {} }]
    const { warnings } = composePlan(
      input({ release: releaseRecord('1.1.0', simulatedSettings({ replicas: 1, strategy: { steps } })) }),
    )
    expect(warnings).toHaveLength(2)
  })
})
