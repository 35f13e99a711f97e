import { describe, expect, it } from 'vitest'
import { releaseRecord, simulatedSettings } from '../../testkit/simulator/settings.ts'
import { composePlan } from './compose.ts'

const planOf = (kind: 'deploy' | 'full' | 'rollback' = 'deploy', worker = false) => {
  const rolling = simulatedSettings({ rolling: {}, replicas: 3 })
  const settings = worker ? { ...rolling, listen: null } : rolling
  return composePlan({
    release: releaseRecord('1.1.0', settings),
    stable: releaseRecord('1.0.0', settings),
    candidate: null,
    kind,
    back: kind === 'rollback' ? { releases: 1, window: 3 } : null,
    history: { provisionMs: 2000, drainMs: 1000, trafficOffMs: [] },
    actor: 'ada',
    now: 0,
    warnings: [],
  })
}

describe('the plan of a release in batches', () => {
  it('says at each step what runs, and how much at most', () => {
    const plan = planOf()
    expect(plan.peakInstances).toBe(4)
    expect(
      plan.steps.map(({ label, instances: { stable, candidate } }) => `${label}: ${stable}+${candidate}`),
    ).toEqual([
      ...['start 1 instance: 3+1', 'traffic 33.3%: 3+1', 'stable keeps 2 instances: 2+1', 'observe 5s: 2+1'],
      ...['start 2 instances: 2+2', 'traffic 66.6%: 2+2', 'stable keeps 1 instance: 1+2', 'observe 5s: 1+2'],
      ...['start 3 instances: 1+3', 'traffic 100%: 1+3', 'watch 30s: 1+3', 'make it stable: 1+3'],
      ...['drain the old set: 1+3', 'stop the old set: 0+3'],
    ])
  })

  it('says the way back: nothing moved, then reverse batches, then a release to roll back to', () => {
    const { steps } = planOf()
    expect(steps[0]?.rollback).toContain('No traffic has moved')
    expect(steps[4]?.rollback).toContain('In reverse batches: 1.0.0 grows again')
    expect(steps[4]?.rollback).toContain('within 15m')
    expect(steps.at(-1)?.rollback).toContain('Batches back to 1.0.0')
  })

  it('counts what its batches take, by what was measured', () => {
    // Three starts, two batches that leave and the last that drains, two looks and the watch.
    expect(planOf().expectedMs).toBe(3 * 2000 + 3 * 1000 + 2 * 5000 + 30_000)
    expect(planOf('full').expectedMs).toBe(3 * 2000 + 3 * 1000 + 30_000)
  })

  it('leaves no worker of the old version working once the new one has all of it', () => {
    const { steps } = planOf('deploy', true)
    const all = steps.findIndex(({ label }) => label === 'share 100%')
    expect(steps[all + 1]).toMatchObject({ label: 'stable keeps 0 instances', instances: { stable: 0 } })
  })
})
