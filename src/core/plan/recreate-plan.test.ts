import { describe, expect, it } from 'vitest'
import { releaseRecord, type SettingsChange, simulatedSettings } from '../../testkit/simulator/settings.ts'
import type { ServiceSettings } from '../release/settings.ts'
import { withoutRequests } from '../release/worker.ts'
import { capacityOf } from './capacity.ts'
import { composePlan, type PlanInput } from './compose.ts'

const MEASURED = { provisionMs: 9000, drainMs: 100, vacateMs: 3000, trafficOffMs: [] }
const recreate = (change: SettingsChange = {}): ServiceSettings =>
  simulatedSettings({ recreate: {}, ...change })
const planOf = (settings = recreate(), more: Partial<PlanInput> = {}) =>
  composePlan({
    release: releaseRecord('1.1.0', settings),
    stable: releaseRecord('1.0.0', settings),
    ...{ candidate: null, kind: 'deploy', back: null, actor: 'ada', now: 0, warnings: [] },
    history: MEASURED,
    ...more,
  })

describe('a plan that stops first', () => {
  it('says step by step what is there: never two versions at a time', () => {
    const plan = planOf()
    expect(plan.steps.map(({ label, instances }) => [label, instances.stable, instances.candidate])).toEqual([
      ['stop the old set first', 0, 0],
      ['start 2 instances', 0, 2],
      ['traffic 100%', 0, 2],
      ['watch 30s', 0, 2],
      ['make it stable', 0, 2],
      ['forget the old set', 0, 2],
    ])
  })

  it('says how long nobody is served and what that costs, before anything else', () => {
    const { outage, warnings } = planOf()
    // Drain 5s, stop 1s, start 20s.
    expect(outage).toMatchObject({ expectedMs: 12_000, atMostMs: 26_000 })
    expect(warnings[0]).toBe(
      'Nobody is served while 1.0.0 stops and 1.1.0 starts: about 12s as measured, at most 26s. Requests in that time get 503 with Retry-After 5s: they are lost.',
    )
  })

  it('says what is not known where nothing was measured', () => {
    const history = { provisionMs: null, drainMs: null, trafficOffMs: [] }
    expect(planOf(recreate(), { history }).outage?.text).toContain('at most 26s; nothing was measured yet.')
  })

  it('counts the checks of the candidate as time in which nobody is served', () => {
    const check = { kind: 'command' as const, name: 'smoke', command: ['x'], secrets: [] }
    const verify = [{ ...check, moments: ['before' as const], timeoutMs: 4000 }]
    expect(planOf(recreate({ verify })).outage?.atMostMs).toBe(30_000)
  })

  it('says that the way back is another time of that kind', () => {
    const [vacate, provision, traffic] = planOf().steps.map(({ rollback }) => rollback)
    expect(vacate).toBe(
      'While 1.0.0 finishes what it has, it goes on as before. Once it has stopped it is started again: nobody is served until it is ready, about 12s as measured, at most 26s.',
    )
    expect([provision, traffic]).toEqual(
      Array(2).fill(
        '1.1.0 stops, then 1.0.0 is started again: nobody is served in between, about 12s as measured, at most 26s.',
      ),
    )
    expect(planOf().steps.at(-1)?.rollback).toContain('(sluice rollback)')
  })

  it('never needs more than one of the two', () => {
    for (const [replicas, peak] of [
      [2, 2],
      [5, 5],
      [1, 2],
    ] as const) {
      const plan = planOf(recreate({ replicas }), { stable: releaseRecord('1.0.0', recreate()) })
      expect(plan.peakInstances).toBe(peak)
      const { formula, percent } = capacityOf(plan, { stable: 2, settings: recreate({ replicas }) }).peak
      expect([percent, formula]).toEqual([
        50 * peak,
        `the larger of stable 2, which stops first, and the candidate ${replicas}`,
      ])
    }
  })

  it('of a worker speaks of work, and of the time that its work may take', () => {
    const settings = recreate()
    const run = { ...settings.run, quiesce: { signal: 'SIGUSR1' as const, graceMs: 60_000 } }
    const worker = { ...settings, run, listen: null, analysis: withoutRequests(settings.analysis) }
    expect(planOf(worker).outage?.text).toBe(
      'Nobody works while 1.0.0 stops and 1.1.0 starts: about 12s as measured, at most 1m21s.',
    )
  })

  it('leaves what was taken over where it is until the new one is ready', () => {
    const stable = { ...releaseRecord('1.0.0', recreate()), adopted: true }
    const plan = planOf(recreate(), { stable })
    expect([plan.outage, plan.steps[0]?.label]).toEqual([undefined, 'start 2 instances'])
  })

  it('has nothing to stop for the first release, and stops first on the way back', () => {
    expect(planOf(recreate(), { stable: null }).outage).toBeUndefined()
    const back = planOf(recreate(), { kind: 'rollback', back: { releases: 1, window: 3 } })
    expect(back.steps.map(({ step }) => step.kind)).toEqual([
      'vacate',
      'provision',
      'traffic',
      'promote',
      'retire',
    ])
  })
})
