import { describe, expect, it } from 'vitest'
import { due } from '../../core/rollout/due.ts'
import type { ServiceState } from '../../core/rollout/state.ts'
import { routerViews } from '../../core/rollout/view/router-view.ts'
import { problem } from '../../core/shared/problem.ts'
import { simulatedSettings } from './settings.ts'
import { createWorld, isOver, stepKind } from './world.ts'

const behind = (router: 'builtin' | 'haproxy' | 'nginx') => ({ ...simulatedSettings(), router })
const refusal = problem('ROUTER_REFUSED', { message: 'no', remedy: 'none', retryable: true })

/** Stable behind the built-in proxy, and a candidate that comes with another router. */
function moving({ isRefused = false } = {}) {
  const world = createWorld()
  world.withStable()
  if (isRefused) world.routers.haproxy.refuse(refusal)
  world.deploy('1.1.0', { settings: behind('haproxy') })
  return world
}
type World = ReturnType<typeof moving>
const listening = ({ routers }: World) =>
  Object.entries(routers).flatMap(([name, router]) => (router.isListening() ? [name] : []))

describe('a service that moves from one router to another (S131)', () => {
  it('is served by both until the new one has confirmed, and then the old one has nothing of it', () => {
    const world = moving({ isRefused: true })
    world.pass(5_000)
    expect([listening(world), world.routers.builtin.weights()]).toEqual([['builtin'], { '1.0.0-r': 1000 }])
    expect(routerViews(world.state()).map(({ sentence }) => sentence)).toEqual([
      'HAProxy sends the requests to the instances',
      'the built-in proxy serves at the address of before until the new routes are confirmed',
    ])
    world.routers.haproxy.refuse(null)
    world.passUntil(({ traffic }) => traffic.router === 'haproxy' && traffic.left.length === 0)
    expect(listening(world)).toEqual(['haproxy'])
    expect(world.routers.builtin.state()).toMatchObject({ token: null, sets: [] })
    world.passUntil(isOver)
    expect([world.outcomes().at(-1), world.routers.haproxy.weights()]).toEqual([
      'promoted',
      { '1.1.0-r': 1000 },
    ])
    expect(world.eventsOf('router-left').map(({ router }) => router)).toEqual(['builtin'])
  })

  it('gives up no address before the new routes are confirmed', () => {
    const world = moving()
    for (let looks = 0; looks < 200 && !listening(world).includes('haproxy'); looks += 1) world.pass(50)
    world.setReachable('router', false)
    world.pass(3_000)
    expect(listening(world)).toEqual(['builtin', 'haproxy'])
    world.setReachable('router', true)
    world.pass(2_000)
    expect(listening(world)).toEqual(['haproxy'])
  })

  it('goes back to the old router when the release goes back, wherever the move stood', () => {
    for (const afterMs of [0, 500, 1_500, 4_000, 12_000]) {
      const world = moving()
      world.pass(afterMs)
      world.byHand('abort')
      world.passUntil(isOver)
      world.passUntil(({ traffic }) => traffic.left.length === 0)
      expect([listening(world), world.routers.builtin.weights()['1.0.0-r']]).toEqual([['builtin'], 1000])
    }
  })

  it('gets no share for the candidate while the new router refuses, and says why (S124)', () => {
    const world = moving({ isRefused: true })
    world.pass(20_000)
    expect([stepKind(world.state()), listening(world)]).toEqual(['traffic', ['builtin']])
    const troubles = Object.values(world.state().troubles).map(({ code }) => code)
    expect(troubles).toContain('ROUTER_REFUSED')
  })

  it('leaves the old router before the one that serves, when the service itself ends in the middle of a move', () => {
    const world = moving()
    world.passUntil(({ traffic }) => traffic.router === 'haproxy')
    const state = { ...world.state(), finalizing: true }
    const keys = (left: ServiceState['traffic']['left']) =>
      due({ ...state, traffic: { ...state.traffic, left } }).flatMap(({ kind, key }) =>
        kind === 'finalize' ? [key] : [],
      )
    expect([keys(['builtin']), keys([])]).toEqual([['finalize builtin'], ['finalize haproxy']])
  })
})
