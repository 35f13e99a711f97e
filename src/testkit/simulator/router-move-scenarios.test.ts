import { describe, expect, it } from 'vitest'
import { due } from '../../core/rollout/due.ts'
import { seeFormer } from '../../core/rollout/see-former.ts'
import type { ServiceState } from '../../core/rollout/state.ts'
import { routerViews } from '../../core/rollout/view/router-view.ts'
import { problem } from '../../core/shared/problem.ts'
import { waitingOn } from './scene.ts'
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

describe('requests under way at a router that was left (S131)', () => {
  const instancesOf = (world: World, release: string) =>
    world.state().sets.find((set) => set.release === release)?.instances ?? []
  const stopped = (world: World) => world.eventsOf('set-stopping').map(({ release }) => release)
  const sentences = (world: World) => routerViews(world.state()).map(({ sentence }) => sentence)

  /** At 100% behind HAProxy; the built-in proxy let go and has a request at one of the old instances. */
  function promoting() {
    const world = moving()
    const [first] = instancesOf(world, '1.0.0-r')
    if (first === undefined) throw new Error('stable has no instance')
    world.routers.builtin.drain([first], 3_000)
    world.byHand('promote-full')
    return world
  }

  it('keep the instances that have them, until the last of them ended', () => {
    const world = promoting()
    world.passUntil((state) => stepKind({ ...state }) === 'drain', 120_000)
    world.pass(1_000)
    expect([stopped(world), sentences(world)]).toEqual([
      [],
      [
        'HAProxy sends the requests to the instances',
        'the built-in proxy, which served before, finishes requests at an instance, which is not stopped before, for 15s at most',
      ],
    ])
    expect(waitingOn(world)).toMatchObject({
      kind: 'drain',
      message: '1 old instance still has work, also at the built-in proxy, which served before',
    })
    world.routers.builtin.drain([], 0)
    world.passUntil(isOver)
    expect([stopped(world), world.outcomes().at(-1)]).toEqual([['1.0.0-r'], 'promoted'])
    expect([world.state().traffic.former, sentences(world).length]).toEqual([[], 1])
  })

  it('keep them no longer than the drain may take, also when the router that was left never answers again', () => {
    for (const answers of [true, false]) {
      const world = promoting()
      world.passUntil((state) => stepKind({ ...state }) === 'drain', 120_000)
      if (answers) world.routers.builtin.drain(instancesOf(world, '1.0.0-r'), 15_000)
      else world.routers.builtin.silence(true)
      world.pass(16_000)
      expect([answers, stopped(world), world.state().traffic.former]).toEqual([answers, ['1.0.0-r'], []])
    }
  })

  it('keep the instances of a candidate that goes back in the first seconds of the move', () => {
    const world = moving()
    world.passUntil(({ traffic }) => traffic.router === 'haproxy' && traffic.left.length === 0)
    world.routers.haproxy.drain(instancesOf(world, '1.1.0-r'), 0)
    world.deploy('1.2.0', { settings: behind('builtin') })
    world.pass(10_000)
    expect(stopped(world)).toEqual([])
    world.routers.haproxy.drain([], 0)
    world.pass(2_000)
    expect(stopped(world)).toEqual(['1.1.0-r'])
  })

  it('are not taken for over by an answer from before the router let go', () => {
    const world = moving()
    world.passUntil(({ traffic }) => traffic.router === 'haproxy' && traffic.left.length === 0)
    const before = { ...world.routers.builtin.state(), token: { epoch: 1, sequence: 1, rollout: null } }
    world.restartController()
    const seen = { ...world.observation(), former: [{ router: 'builtin' as const, state: before }] }
    const state = { ...world.state() }
    const traffic = {
      ...state.traffic,
      former: [{ router: 'builtin' as const, since: world.now(), busy: ['1.0.0-r-1'] }],
    }
    expect(seeFormer({ ...state, traffic }, seen, world.now())).toEqual([])
  })
})
