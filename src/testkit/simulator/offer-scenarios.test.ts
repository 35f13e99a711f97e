import { describe, expect, it } from 'vitest'
import { actionsOf } from '../../core/rollout/view/actions.ts'
import { NEW, withCandidateAt } from './scene.ts'
import type { World } from './world.ts'
import { isOver, stepKind } from './world.ts'

const whyNot = (world: World, action: string): string | null | undefined =>
  actionsOf(world.state()).find(({ name }) => name === action)?.whyNot

describe('an action is offered when it would be done, and only then', () => {
  it('no rollback without a name while the release before is blocked, as a rollback to it is refused (S91)', () => {
    const world = withCandidateAt(50)
    world.passUntil(isOver)
    expect(whyNot(world, 'rollback')).toBeNull()
    const release = { release: '1.0.0-r', version: '1.0.0', digest: 'sha256:1.0.0' }
    world.send({ kind: 'block', release, actor: { kind: 'person', name: 'ada' }, note: 'leaks memory' })
    expect(world.deploy('1.0.0', { kind: 'rollback' })).toMatchObject({
      kind: 'failed',
      problem: { code: 'RELEASE_BLOCKED' },
    })
    expect(whyNot(world, 'rollback')).toBe('1.0.0 is blocked: name another one, or go there by force')
    world.lift({ unblock: '1.0.0-r' })
    expect(whyNot(world, 'rollback')).toBeNull()
  })

  it('the way back while the old set of a candidate that is stable already leaves: it begins after that', () => {
    const world = withCandidateAt(50)
    world.passUntil((state) => state.stable?.version === NEW)
    expect(isOver(world.state())).toBe(false)
    expect(whyNot(world, 'rollback')).toBeNull()
    expect(world.deploy('1.0.0', { kind: 'rollback' }).kind).toBe('ok')
    world.passUntil((state) => isOver(state) && state.stable?.version === '1.0.0')
  })

  it('a full promotion that comes when all traffic is on the candidate already does not end the watch', () => {
    const world = withCandidateAt(50)
    world.byHand('promote-full')
    world.passUntil((state) => stepKind(state) === 'watch')
    expect(whyNot(world, 'promote-full')).toBe('all traffic is on the candidate already')
    expect(world.byHand('promote-full')).toMatchObject({
      kind: 'failed',
      problem: { code: 'NOT_ALLOWED_NOW', message: expect.stringContaining('all traffic is on') },
    })
    expect(stepKind(world.state())).toBe('watch')
    expect(world.byHand('promote').kind).toBe('ok')
    expect(world.state().stable?.version).toBe(NEW)
  })
})
