import { describe, expect, it } from 'vitest'
import { serviceView } from '../../core/rollout/view/service-view.ts'
import type { CheckResult, CheckTier, NamedCheck } from '../../core/shared/health-check.ts'
import { NEW, stage, withCandidateAt } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import { createWorld, isOver, type World } from './world.ts'

const CANDIDATE = `${NEW}-r`
const STABLE = '1.0.0-r'
const CAUSE = 'a TCP connection to db:5432 was refused: nothing listens there'

const database = (onFailure: CheckTier): NamedCheck => ({
  name: 'database',
  kind: 'dependency',
  check: { kind: 'address', host: 'db', port: 5432 },
  everyMs: 1000,
  timeoutMs: 1000,
  failures: 2,
  onFailure,
})

function worldWith(onFailure: CheckTier): World {
  const settings = simulatedSettings({
    strategy: { steps: [stage(500, 60_000), stage(1000)] },
    checks: [database(onFailure)],
  })
  return createWorld({ settings })
}
const says = (
  world: World,
  release: string,
  { onFailure, state }: Pick<CheckResult, 'onFailure' | 'state'>,
): unknown =>
  world.target.check(release, {
    name: 'database',
    onFailure,
    state,
    message: state === 'failing' ? CAUSE : null,
  })
const view = (world: World) =>
  serviceView(world.state(), { revision: 1, now: world.now(), timeline: [], inFlight: {} })
const rowOf = (world: World) =>
  view(world).rollout?.checks.find(({ name }) => name === 'health check database')
const isPaused = (world: World): boolean => {
  const { rollout } = world.state()
  return rollout?.phase.kind === 'running' && rollout.phase.paused !== null
}

describe('a named check of health', () => {
  it('that only the candidate fails rolls back when it is critical, with its cause', () => {
    const world = worldWith('critical')
    withCandidateAt(500, world)
    says(world, STABLE, { onFailure: 'critical', state: 'passing' })
    says(world, CANDIDATE, { onFailure: 'critical', state: 'failing' })
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.state().rollout?.phase).toMatchObject({
      reason: {
        code: 'CHECK_CRITICAL',
        message: `health check database (dependency): 1.1.0 fails on 2 of 2 instances, and 1.0.0 does not: ${CAUSE}`,
        evidence: { check: 'health check database', tier: 'critical', cause: CAUSE },
      },
    })
  })

  it('pauses once when it is a warning, and goes on by hand', () => {
    const world = worldWith('warning')
    withCandidateAt(500, world)
    says(world, CANDIDATE, { onFailure: 'warning', state: 'failing' })
    says(world, STABLE, { onFailure: 'warning', state: 'passing' })
    world.passUntil(() => isPaused(world))
    expect(world.eventsOf('rollout-paused')[0]).toMatchObject({
      checks: ['health check database'],
      reason: { code: 'CHECK_WARNING' },
    })
    expect(rowOf(world)).toMatchObject({
      tier: 'warning',
      verdict: 'warning',
      candidate: 'failing',
      stable: 'passing',
    })
    world.byHand('resume')
    world.passUntil(isOver)
    expect(world.eventsOf('rollout-paused')).toHaveLength(1)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it.each(['critical', 'warning', 'report'] as const)(
    'that both fail is told and excused, also when it is %s',
    (onFailure) => {
      const world = worldWith(onFailure)
      withCandidateAt(500, world)
      for (const release of [CANDIDATE, STABLE]) says(world, release, { onFailure, state: 'failing' })
      world.pass(5000)
      expect(rowOf(world)).toMatchObject({
        verdict: 'watching',
        sentence: expect.stringContaining(
          '1.1.0 fails on 2 of 2 instances, and so does 1.0.0, so nothing follows',
        ),
      })
      world.passUntil(isOver)
      expect(world.outcomes().at(-1)).toBe('promoted')
    },
  )

  it('waits for the word of stable before it blames the candidate', () => {
    const world = worldWith('critical')
    withCandidateAt(500, world)
    says(world, STABLE, { onFailure: 'critical', state: 'unknown' })
    says(world, CANDIDATE, { onFailure: 'critical', state: 'failing' })
    world.pass(5000)
    expect(world.state().rollout?.phase.kind).toBe('running')
    expect(rowOf(world)?.sentence).toContain('1.0.0 was not asked yet')
    says(world, STABLE, { onFailure: 'critical', state: 'passing' })
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
  })

  it('blames nobody while stable comes back and cannot be asked', () => {
    const world = worldWith('critical')
    withCandidateAt(500, world)
    says(world, STABLE, { onFailure: 'critical', state: 'failing' })
    world.target.unready(STABLE)
    says(world, CANDIDATE, { onFailure: 'critical', state: 'failing' })
    world.pass(3000)
    expect(world.state().rollout?.phase.kind).toBe('running')
    world.target.ready(STABLE)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('that is only reported changes nothing, and is seen after the rollout, too', () => {
    const world = worldWith('report')
    withCandidateAt(500, world)
    says(world, CANDIDATE, { onFailure: 'report', state: 'failing' })
    says(world, STABLE, { onFailure: 'report', state: 'passing' })
    world.pass(2000)
    expect(rowOf(world)).toMatchObject({ tier: 'report', verdict: 'worse' })
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(view(world).warnings).toContain(
      `Health check database of 1.1.0 (stable) fails on 2 of 2 instances: ${CAUSE}`,
    )
    says(world, CANDIDATE, { onFailure: 'report', state: 'passing' })
    world.pass(2000)
    expect(view(world).warnings).toEqual([])
  })
})
