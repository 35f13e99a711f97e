import { describe, expect, it } from 'vitest'
import { NEW, stage, withCandidateAt } from '../testkit/simulator/scene.ts'
import { simulatedPlan, simulatedSettings } from '../testkit/simulator/settings.ts'
import { isOver } from '../testkit/simulator/world.ts'
import { overlapWarnings } from './overlap.ts'

const edited = simulatedSettings({ strategy: { steps: [stage(100), stage(1000)] } })
const warningsFor = (world: ReturnType<typeof withCandidateAt>, version: string, settings = edited) => {
  const state = world.state()
  const plan = simulatedPlan(state, { version, settings, kind: 'deploy', now: world.now() })
  return overlapWarnings(state, plan)
}

describe('a plan that is made while a rollout is on its way', () => {
  it('says that an edited file changes nothing of it, and what does (S22)', () => {
    expect(warningsFor(withCandidateAt(50), NEW)).toEqual([
      `${NEW} is on its way by the plan that was agreed to (5%, 25%, 50%, 100%); what was changed since takes effect with the next plan. Go to another step of it with "sluice jump", or abort it and deploy it again.`,
    ])
  })

  it('says nothing where it is the same one, or nothing is on its way', () => {
    const world = withCandidateAt(50)
    expect(warningsFor(world, NEW, simulatedSettings())).toEqual([])
    world.passUntil(isOver)
    expect(warningsFor(world, NEW)).toEqual([])
  })

  it('says what becomes of another version', () => {
    const world = withCandidateAt(50)
    expect(warningsFor(world, '1.2.0')).toEqual([
      `${NEW} is on its way: 1.2.0 would take its place, and its traffic returns to stable first.`,
    ])
    const watched = withCandidateAt(1000)
    expect(warningsFor(watched, '1.2.0')[0]).toContain('waits until the watch ends')
  })
})
