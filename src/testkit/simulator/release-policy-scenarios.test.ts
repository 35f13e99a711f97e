import { describe, expect, it } from 'vitest'
import { problem } from '../../core/shared/problem.ts'
import { announced, BAD, failOnce, promote, viewOf, withFailure, worldWith } from './failures.test.kit.ts'
import { decidedWeights, instancesOf, NEW, waitingOn, withCandidateAt } from './scene.ts'
import { createWorld, isOver, stepKind, type World } from './world.ts'

describe('a release that was rolled back by itself', () => {
  it('is blocked with reason, evidence, time and rollout, and is not begun again (S91)', () => {
    const world = withFailure()
    expect(world.state().blocks).toMatchObject([
      {
        release: `${NEW}-r`,
        digest: `sha256:${NEW}`,
        rollout: 'rollout-2',
        reason: { code: 'CHECK_CRITICAL', evidence: { check: expect.any(String) } },
      },
    ])
    const refused = world.deploy(NEW)
    expect(refused).toMatchObject({ kind: 'failed', problem: { code: 'RELEASE_BLOCKED' } })
    if (refused.kind === 'failed') expect(refused.problem.remedy).toContain('--retry')
    world.deploy('1.0.0')
    world.pass(30_000)
    expect(world.eventsOf('rollout-started')).toHaveLength(2)
  })

  it('is refused on its way back already, and a queued one of the same is dropped (S91)', () => {
    const world = withCandidateAt(250)
    world.router.quality(`${NEW}-r`, BAD)
    world.router.refuse(problem('ROUTER_REFUSED', { message: 'no', remedy: 'wait', retryable: true }))
    world.passUntil(({ rollout }) => rollout?.phase.kind === 'returning')
    expect(world.deploy(NEW)).toMatchObject({ kind: 'failed', problem: { code: 'RELEASE_BLOCKED' } })
  })

  it('comes again with an explicit retry: a new attempt with fresh counts and checks (S86, S91)', () => {
    const world = withFailure()
    world.router.quality(`${NEW}-r`, {})
    world.deploy(NEW, { order: 'retry' })
    world.passUntil(() => world.weightOf(NEW) === 50)
    const { rollout } = world.state()
    expect(rollout).toMatchObject({ id: 'rollout-3', attempt: 2, order: 'retry', acknowledged: [] })
    expect(rollout?.total.candidate.errors).toBe(0)
    expect(rollout?.checks.every(({ peakLogE }) => peakLogE <= 0)).toBe(true)
    expect(viewOf(world).rollout?.sentence).toContain('(attempt 2)')
    world.passUntil(isOver)
    expect(world.state()).toMatchObject({ stable: { version: NEW }, blocks: [], attempts: [] })
  })

  it('stays blocked when the retry fails as well, under the newer rollout', () => {
    const world = withFailure()
    failOnce(world, NEW, 'retry')
    expect(world.state().blocks).toMatchObject([{ rollout: 'rollout-3' }])
    expect(world.state().attempts).toEqual([{ release: `${NEW}-r`, count: 2 }])
  })

  it('may come again when somebody lifts the block, and who did it is on record', () => {
    const world = withFailure()
    expect(world.lift({ unblock: '9.9.9' })).toMatchObject({ problem: { code: 'NOT_BLOCKED' } })
    world.lift({ unblock: NEW })
    expect(world.eventsOf('release-unblocked')).toMatchObject([
      {
        release: `${NEW}-r`,
        reason: { message: `${NEW} was unblocked by ada: looked into`, actor: { name: 'ada' } },
      },
    ])
    expect(world.deploy(NEW)).toMatchObject({ kind: 'ok' })
  })

  it('is blocked when it never became ready, not when a person sent it back or it was the first', () => {
    const never = createWorld()
    never.withStable()
    never.target.behave(`${NEW}-r`, 'never-ready')
    never.deploy(NEW)
    never.passUntil(isOver)
    expect(never.state().blocks).toMatchObject([{ reason: { code: 'NEVER_READY' } }])

    const byHand = withCandidateAt(250)
    byHand.byHand('rollback')
    byHand.passUntil(isOver)
    expect(byHand.state()).toMatchObject({ blocks: [], automaticRollbacks: [] })

    const first = createWorld()
    first.target.behave('1.0.0-r', 'never-ready')
    first.deploy('1.0.0')
    first.passUntil(isOver)
    expect(first.outcomes()).toEqual(['failed'])
    expect(first.state().blocks).toEqual([])
  })

  it('can be blocked by hand, and going back to it then needs force', () => {
    const world = createWorld()
    world.withStable()
    promote(world, NEW)
    const release = { release: '1.0.0-r', version: '1.0.0', digest: 'sha256:1.0.0' }
    const actor = { kind: 'person' as const, name: 'bob' }
    world.send({ kind: 'block', release, actor, note: 'leaks memory' })
    expect(world.state().blocks).toMatchObject([
      { rollout: null, reason: { message: 'blocked by bob: leaks memory' } },
    ])
    const refused = world.deploy('1.0.0', { kind: 'rollback' })
    expect(refused).toMatchObject({
      problem: { code: 'RELEASE_BLOCKED', remedy: expect.stringContaining('--force') },
    })
    world.deploy('1.0.0', { kind: 'rollback', order: 'forced-rollback' })
    world.passUntil((state) => isOver(state) && state.stable?.version === '1.0.0')
  })
})

describe('going back', () => {
  it('within the rollback window is at once, beyond it takes all steps, and the plan says why (S89)', () => {
    const world = worldWith({ rollback: { window: 1 }, strategy: { watchMs: 1000 } })
    world.withStable()
    for (const version of ['1.1.0', '1.2.0']) promote(world, version)
    world.deploy('1.1.0', { kind: 'rollback' })
    expect(world.state().rollout?.plan).toMatchObject({
      kind: 'rollback',
      because: expect.stringContaining('within the rollback window of 1'),
    })
    world.passUntil((state) => isOver(state) && state.stable?.version === '1.1.0')

    // 1.2.0 is one back now, 1.0.0 two.
    world.deploy('1.0.0', { kind: 'rollback' })
    expect(world.state().rollout?.plan).toMatchObject({
      kind: 'deploy',
      because: expect.stringContaining('beyond the rollback window of 1'),
    })
    world.passUntil((state) => isOver(state) && state.stable?.version === '1.0.0')
    expect(
      decidedWeights(world, '1.0.0')
        .filter((weight) => weight > 0)
        .slice(-4),
    ).toEqual([50, 250, 500, 1000])
    expect(world.state().rollout?.reason.message).toContain('1.0.0 is stable again')
  })

  it('beyond the window is judged as a deploy is, and fails as one does (S89)', () => {
    const world = worldWith({ rollback: { window: 0 } })
    world.withStable()
    promote(world, NEW)
    world.router.quality('1.0.0-r', BAD)
    world.deploy('1.0.0', { kind: 'rollback' })
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.state()).toMatchObject({ stable: { version: NEW }, blocks: [{ version: '1.0.0' }] })
  })

  it('during the watch is one switch, and the old set is not removed (S88, S90)', () => {
    const world = withCandidateAt(1000)
    const old = instancesOf(world, '1.0.0').map(({ id }) => id)
    const at = world.now()
    world.byHand('rollback')
    world.passUntil(isOver)
    expect(world.now() - at).toBeLessThanOrEqual(1000)
    world.pass(120_000)
    expect(instancesOf(world, '1.0.0').map(({ id }) => id)).toEqual(old)
    expect(world.weightOf('1.0.0')).toBe(1000)
  })

  it('that the router refuses goes on trying, alarms once, and is not done before it is (S92)', () => {
    const world = withCandidateAt(500)
    world.router.refuse(problem('ROUTER_REFUSED', { message: 'it says no', remedy: 'wait', retryable: true }))
    world.byHand('rollback')
    world.pass(600_000)
    expect(world.state().rollout?.phase).toMatchObject({ kind: 'returning', stalled: true })
    expect(waitingOn(world)).toMatchObject({ kind: 'router', message: expect.stringContaining('it says no') })
    expect(announced(world, 'rollback_stuck')).toMatchObject([{ severity: 'critical' }])
    expect(world.outcomes()).toEqual(['promoted'])
    world.router.refuse(null)
    world.passUntil(isOver, 10_000)
    expect(world.outcomes()).toEqual(['promoted', 'rolled_back'])
    expect(announced(world, 'rollback_stuck')).toHaveLength(1)
  })
})

describe('a candidate that fails', () => {
  it('after all traffic moved gives it back to the set that is healthy, which was kept (S93)', () => {
    const world = withCandidateAt(1000)
    world.target.crash(`${NEW}-r`)
    world.pass(1500)
    expect(world.weightOf('1.0.0')).toBe(1000)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(instancesOf(world, '1.0.0')).toHaveLength(2)
    expect(viewOf(world).sets.find(({ version }) => version === '1.0.0')?.observedWeightPermille).toBe(1000)
  })

  it('while its old set drains leaves the traffic to that one, which stays until it is well again (S93)', () => {
    const world = withCandidateAt(1000)
    world.passUntil((state) => stepKind(state) === 'drain')
    world.target.crash(`${NEW}-r`)
    world.pass(60_000)
    expect(world.weightOf('1.0.0')).toBe(1000)
    expect(instancesOf(world, '1.0.0')).toHaveLength(2)
    expect(waitingOn(world)).toMatchObject({ kind: 'instances', who: NEW })
    world.target.restart(`${NEW}-r`)
    world.passUntil(isOver)
    expect(world.outcomes()).toEqual(['promoted', 'promoted'])
    expect(world.weightOf(NEW)).toBe(1000)
    expect(instancesOf(world, '1.0.0')).toEqual([])
  })

  it('with onFailure "hold" keeps its share, alarms once, and only the way back is open (S94)', () => {
    const world = withCandidateAt(250, worldWith({ rollback: { onFailure: 'hold' } }))
    world.router.quality(`${NEW}-r`, BAD)
    world.passUntil(({ rollout }) => rollout?.phase.kind === 'running' && rollout.phase.paused !== null)
    world.pass(600_000)
    expect(world.weightOf(NEW)).toBe(250)
    expect(announced(world, 'failure_held')).toMatchObject([{ severity: 'critical' }])
    expect(world.state().blocks).toMatchObject([{ version: NEW }])
    for (const kind of ['promote', 'promote-full', 'resume'] as const)
      expect(world.byHand(kind)).toMatchObject({ kind: 'failed', problem: { code: 'NOT_ALLOWED_NOW' } })
    expect(
      viewOf(world)
        .actions.filter(({ allowed }) => allowed)
        .map(({ name }) => name),
    ).toEqual(['abort', 'rollback', 'deploy'])
    expect(waitingOn(world)).toMatchObject({ kind: 'person' })
    world.byHand('abort')
    world.passUntil(isOver, 10_000)
    expect(world.outcomes().at(-1)).toBe('aborted')
  })

  it('with onFailure "hold" is replaced by one that mends it (S94)', () => {
    const world = withCandidateAt(250, worldWith({ rollback: { onFailure: 'hold' } }))
    world.router.quality(`${NEW}-r`, BAD)
    world.passUntil(({ blocks }) => blocks.length === 1)
    promote(world, '1.1.1')
    expect(world.outcomes()).toEqual(['promoted', 'superseded', 'promoted'])
  })

  it('with onFailure "hold" goes back all the same when it never became ready: it has no share to keep (S94)', () => {
    const world = worldWith({ rollback: { onFailure: 'hold' } })
    world.withStable()
    world.target.behave(`${NEW}-r`, 'never-ready')
    world.deploy(NEW)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
  })
})

describe('the record of a rollout', () => {
  const checklistOf = (world: World) =>
    viewOf(world).rollout?.checklist.map(({ name, state, by }) => [name, state, by])

  it('keeps what was live before it, and each item that had to be so before it was stable (S141)', () => {
    const world = withCandidateAt(50)
    expect(viewOf(world).rollout?.before).toEqual({
      stable: { release: '1.0.0-r', version: '1.0.0' },
      weights: { '1.0.0-r': 1000 },
      sets: [{ release: '1.0.0-r', version: '1.0.0', role: 'stable', wanted: 2, ready: 2 }],
    })
    expect(checklistOf(world)).toEqual([])
    world.passUntil(isOver)
    expect(checklistOf(world)).toEqual([
      ['instances', 'passed', null],
      ['traffic', 'passed', null],
      ['stages', 'passed', null],
      ['watch', 'passed', null],
      ['checks', 'passed', null],
    ])
  })

  it('names who let an item pass', () => {
    const world = withCandidateAt(50)
    world.byHand('promote-full')
    world.passUntil((state) => stepKind(state) === 'watch')
    world.byHand('promote')
    world.passUntil(isOver)
    expect(checklistOf(world)?.filter(([, state]) => state === 'waived')).toEqual([
      ['stages', 'waived', 'ada'],
      ['watch', 'waived', 'ada'],
    ])
    world.deploy('1.0.0', { kind: 'rollback' })
    world.passUntil(isOver)
    expect(checklistOf(world)).toContainEqual(['checks', 'waived', 'ada'])
  })

  it('is not stable while an item fails, however long (S93)', () => {
    const world = createWorld()
    world.router.refuse(problem('ROUTER_REFUSED', { message: 'no', remedy: 'wait', retryable: true }))
    world.deploy('1.0.0')
    world.pass(60_000)
    expect(world.eventsOf('stable-changed')).toEqual([])
  })
})

describe('a full promotion of what was given up', () => {
  it('is another attempt without stages, keeps readiness and the watch, and the outcome says so (S87)', () => {
    const world = withCandidateAt(250)
    world.byHand('abort')
    world.passUntil(isOver)
    expect(world.byHand('promote-full')).toMatchObject({ problem: { code: 'NOTHING_IN_PROGRESS' } })
    world.deploy(NEW, { kind: 'full', order: 'retry' })
    world.passUntil((state) => stepKind(state) === 'watch')
    expect(decidedWeights(world).slice(-1)).toEqual([1000])
    world.passUntil(isOver)
    expect(world.state().rollout?.reason.message).toMatch(/ada took it to 100% without stages and checks$/)
    expect(world.state().rollout?.attempt).toBe(2)
  })

  it('still goes back by itself when it fails in its watch', () => {
    const world = createWorld()
    world.withStable()
    world.router.quality(`${NEW}-r`, BAD)
    world.deploy(NEW, { kind: 'full' })
    world.passUntil(isOver)
    expect(world.outcomes()).toEqual(['promoted', 'rolled_back'])
  })
})
