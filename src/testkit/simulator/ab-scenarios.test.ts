import { describe, expect, it } from 'vitest'
import type { AbSettings } from '../../core/release/strategy-settings.ts'
import { abView } from '../../core/rollout/ab/ab-view.ts'
import { NEW, waitingOn } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver, stepKind } from './world.ts'

function testing(ab: Partial<AbSettings> = {}): World {
  const world = createWorld({ settings: simulatedSettings({ ab }) })
  world.withStable()
  world.deploy(NEW)
  world.passUntil((state) => stepKind(state) === 'observe')
  return world
}
const salt = (world: World) => world.state().rollout?.id ?? ''
function count(world: World, goals: { control: number; green: number; blue: number }): void {
  const arms = [
    { variant: null, goals: goals.control },
    { variant: 'green', goals: goals.green },
    { variant: 'blue', goals: goals.blue },
  ]
  world.router.countVariants(arms.map((arm) => ({ salt: salt(world), users: 10 * arm.goals, ...arm })))
  world.pass(3000)
}
function result(world: World) {
  const { rollout } = world.state()
  const view = rollout === null ? null : abView(rollout, world.now())
  return Object.fromEntries(view?.arms.map(({ name, goals, verdict }) => [name, { goals, verdict }]) ?? [])
}

describe('an A/B test', () => {
  it('gives all variants their shares at once, and keeps them for its time (S45)', () => {
    const world = testing()
    expect(world.weightOf(NEW)).toBe(500)
    expect(world.router.side().sticky).toMatchObject({
      kind: 'assign',
      release: `${NEW}-r`,
      test: { by: null, variants: [{ name: 'green' }, { name: 'blue' }] },
    })
    world.pass(50_000)
    expect([world.weightOf(NEW), stepKind(world.state())]).toEqual([500, 'observe'])
  })

  it('is for those of whom all conditions are so, as the plan, the view and the routes say (S45)', () => {
    const country = { kind: 'exact', in: 'header', name: 'x-country', value: 'de' } as const
    const world = testing({ where: [[country]] })
    expect(world.router.side().sticky).toMatchObject({ test: { where: [[country]] } })
    const { rollout } = world.state()
    expect(rollout?.plan.besides?.[0]).toBe(
      'Only users whose header x-country is "de" take part; everybody else stays with stable and is counted apart.',
    )
    expect(rollout === null ? null : abView(rollout, world.now())?.among).toBe('header x-country is "de"')
  })

  it('says which variants are better or worse than stable, and which are not decided', () => {
    const world = testing()
    count(world, { control: 400, green: 340, blue: 210 })
    expect(result(world)).toEqual({
      control: { goals: 400, verdict: 'control' },
      green: { goals: 340, verdict: 'better' },
      blue: { goals: 210, verdict: 'open' },
    })
  })

  it('counts nobody twice when the data plane or the controller begins anew, or an answer comes late', () => {
    const world = testing()
    count(world, { control: 40, green: 20, blue: 20 })
    world.restartController()
    count(world, { control: 44, green: 20, blue: 20 })
    count(world, { control: 42, green: 20, blue: 20 })
    count(world, { control: 46, green: 20, blue: 20 })
    expect(result(world).control?.goals).toBe(46)
    world.router.forget()
    count(world, { control: 4, green: 0, blue: 0 })
    expect(result(world).control?.goals).toBe(50)
  })

  it('takes numbers of another test for nothing', () => {
    const world = testing()
    world.router.countVariants([{ salt: 'another', variant: null, users: 1, goals: 1 }])
    world.pass(5000)
    expect(result(world).control?.goals).toBe(0)
  })

  it('waits for a person when its time is over, goes on to 100% when one says so, and binds nobody then (S47)', () => {
    const world = testing()
    world.passUntil((state) => stepKind(state) === 'gate')
    world.pass(120_000)
    expect([world.weightOf(NEW), waitingOn(world)?.kind]).toEqual([500, 'person'])
    expect(waitingOn(world)?.message).toContain('users keep their variants: promote 1.1.0, or abort')
    count(world, { control: 1, green: 2, blue: 3 })
    expect(result(world).blue?.goals).toBe(3)
    world.byHand('promote')
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    world.pass(1000)
    expect(world.router.side().sticky?.kind).toBe('expire')
  })

  it('gives the candidate all traffic by itself where the file says so', () => {
    const world = testing({ atEnd: 'promote' })
    world.passUntil(isOver, 200_000)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('goes back at once when the candidate fails, whatever its variants reach', () => {
    const world = testing()
    count(world, { control: 100, green: 300, blue: 300 })
    world.router.quality(`${NEW}-r`, { errorShare: 0.3 })
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.weightOf(NEW)).toBe(0)
  })

  it('does not ask for requests that are due by weight where the service says who its users are', () => {
    const named = testing({ by: { kind: 'header', name: 'x-user' } })
    named.pass(5000)
    const weights = (world: World) =>
      world
        .eventsOf('metrics-observed')
        .flatMap(({ batch }) =>
          batch !== null && batch.candidate.requests > 0 ? [batch.weightPermille] : [],
        )
    expect(new Set(weights(named))).toEqual(new Set([undefined]))
    const own = testing()
    own.pass(5000)
    expect(weights(own)).toContain(500)
  })
})
