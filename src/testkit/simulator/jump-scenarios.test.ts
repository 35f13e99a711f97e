import { describe, expect, it } from 'vitest'
import type { VerifyCheck } from '../../core/shared/verification.ts'
import { decidedWeights, NEW, stage, withCandidateAt } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver, stepKind } from './world.ts'

const jump = (world: World, weightPermille: number, note = '') =>
  world.send({ kind: 'jump', weightPermille, actor: { kind: 'person', name: 'ada' }, note })
const rising = (world: World): number[] => decidedWeights(world).filter((weight) => weight > 0)
const reached = (world: World, permille: number): void =>
  world.passUntil((state) => world.weightOf(NEW) === permille && stepKind(state) !== 'traffic')

describe('a jump', () => {
  it('ahead skips what lies between, which is on record, and the candidate still has to pass the rest (S23)', () => {
    const world = withCandidateAt(50)
    expect(jump(world, 500, 'looks fine').kind).toBe('ok')
    reached(world, 500)
    expect(rising(world)).toEqual([50, 500])
    const { rollout } = world.state()
    const skipped = rollout?.steps.filter(({ state }) => state === 'skipped')
    expect(skipped?.map(({ by }) => by)).toEqual(['ada', 'ada', 'ada'])
    expect(rollout?.reason.code).not.toBe('JUMPED')
    expect(world.eventsOf('jump-asked')).toMatchObject([
      { reason: { message: 'taken to 50% by ada: looks fine' } },
    ])
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    const stages =
      rollout === null ? undefined : world.state().rollout?.checklist.find(({ name }) => name === 'stages')
    expect(stages).toMatchObject({ state: 'waived', by: 'ada' })
  })

  it('back gives the candidate less traffic and begins anew from there (S23)', () => {
    const world = withCandidateAt(500)
    expect(jump(world, 50).kind).toBe('ok')
    reached(world, 50)
    expect(world.weightOf('1.0.0')).toBe(950)
    expect(world.state().rollout?.atStep.candidate.requests).toBeLessThan(200)
    world.passUntil(isOver)
    expect(rising(world)).toEqual([50, 250, 500, 50, 250, 500, 1000])
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('back from the watch takes stable in again, as long as the candidate is not stable itself', () => {
    const world = withCandidateAt(1000)
    expect(stepKind(world.state())).toBe('watch')
    jump(world, 250)
    reached(world, 250)
    expect(world.weightOf('1.0.0')).toBe(750)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(jump(world, 50)).toMatchObject({ kind: 'failed', problem: { code: 'NOTHING_IN_PROGRESS' } })
  })

  it('to a share that the plan does not have names those that it has', () => {
    const world = withCandidateAt(50)
    expect(jump(world, 300)).toMatchObject({
      kind: 'failed',
      problem: { code: 'NO_SUCH_STEP', remedy: expect.stringContaining('5%, 25%, 50%, 100%') },
    })
    expect(jump(world, 50)).toMatchObject({ kind: 'failed', problem: { code: 'NOT_ALLOWED_NOW' } })
  })

  it('ends a pause, and does not end a freeze', () => {
    const world = withCandidateAt(250)
    world.byHand('pause')
    jump(world, 50)
    reached(world, 50)
    world.setFreeze({})
    world.pass(2000)
    expect(jump(world, 250)).toMatchObject({ kind: 'failed', problem: { code: 'NOT_ALLOWED_NOW' } })
  })

  it('is not possible on the way back', () => {
    const world = withCandidateAt(250)
    world.setReachable('router', false)
    world.byHand('abort')
    expect(jump(world, 500)).toMatchObject({ kind: 'failed', problem: { code: 'NOT_ALLOWED_NOW' } })
  })

  it('skips neither readiness nor checks: it opens the gate of a small preview, which grows first (S30)', () => {
    const verify: VerifyCheck[] = [
      {
        kind: 'command',
        name: 'smoke',
        moments: ['before'],
        timeoutMs: 9000,
        command: ['smoke'],
        secrets: [],
      },
    ]
    const steps = [stage(250), stage(1000)]
    const blueGreen = { switchAfterMs: null, previewReplicas: 1, steps }
    const world = createWorld({ settings: simulatedSettings({ blueGreen, replicas: 3, verify }) })
    world.withStable()
    world.setChecks(() => 'lasts')
    world.deploy(NEW)
    world.passUntil((state) => stepKind(state) === 'verify')
    jump(world, 1000)
    world.pass(20_000)
    expect(world.weightOf(NEW)).toBe(0)
    world.setChecks(() => 'passes')
    reached(world, 1000)
    expect(rising(world)).toEqual([1000])
    expect(world.state().sets.find(({ version }) => version === NEW)?.replicas).toBe(3)
  })

  it('back is verified again where the checks come after it', () => {
    const verify: VerifyCheck[] = [
      { kind: 'command', name: 'journey', moments: ['after'], timeoutMs: 9000, command: ['x'], secrets: [] },
    ]
    const world = createWorld({ settings: simulatedSettings({ verify }) })
    world.withStable()
    world.deploy(NEW)
    reached(world, 1000)
    world.passUntil((state) => stepKind(state) === 'watch')
    const made = world.eventsOf('verified').length
    jump(world, 50)
    world.passUntil(isOver)
    expect(world.eventsOf('verified')).toHaveLength(made + 1)
  })
})
