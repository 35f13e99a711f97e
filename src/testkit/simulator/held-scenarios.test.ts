import { describe, expect, it } from 'vitest'
import { instancesOf, NEW, withCandidateAt } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver } from './world.ts'

const keeping = (): World => createWorld({ settings: simulatedSettings({ strategy: { holdMs: null } }) })

describe('a candidate that is held with hold "keep"', () => {
  it('is let go of when somebody discards the candidate that is held', () => {
    const world = withCandidateAt(250, keeping())
    expect(world.discard()).toMatchObject({ kind: 'failed', problem: { code: 'NOTHING_HELD' } })
    world.byHand('abort')
    world.passUntil(isOver)
    expect(world.discard('9.9.9')).toMatchObject({
      kind: 'failed',
      problem: { code: 'NOTHING_HELD', remedy: `Held are: ${NEW}-r.` },
    })
    expect(world.discard(NEW)).toMatchObject({ kind: 'ok' })
    expect(world.eventsOf('set-retiring').at(-1)?.reason).toMatchObject({
      code: 'DISCARDED',
      message: `${NEW} was discarded by ada`,
    })
    world.passUntil(({ sets }) => sets.length === 1, 30_000)
    expect(instancesOf(world, NEW)).toEqual([])
    expect(world.outcomes().at(-1)).toBe('aborted')
  })

  it('asks which one when several candidates are held, and the other one stays', () => {
    const world = keeping()
    world.withStable()
    for (const version of ['1.1.0', '1.2.0']) {
      world.deploy(version)
      world.passUntil(() => world.weightOf(version) === 50)
      world.byHand('abort')
      world.passUntil(isOver)
    }
    expect(world.discard()).toMatchObject({ kind: 'failed', problem: { code: 'SEVERAL_HELD' } })
    world.discard('1.1.0-r')
    world.pass(60_000)
    expect(instancesOf(world, '1.1.0')).toEqual([])
    expect(instancesOf(world, '1.2.0')).toHaveLength(2)
  })

  it('keeps a held candidate that stands in for a dead stable, whoever discards it', () => {
    const world = withCandidateAt(250, keeping())
    world.byHand('abort')
    world.passUntil(isOver)
    world.target.crash('1.0.0-r')
    world.passUntil(() => world.weightOf(NEW) === 1000, 20_000)
    expect(world.discard()).toMatchObject({ kind: 'failed', problem: { code: 'NOT_ALLOWED_NOW' } })
    expect(instancesOf(world, NEW)).toHaveLength(2)
  })
})
