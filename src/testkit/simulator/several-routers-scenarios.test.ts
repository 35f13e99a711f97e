import { describe, expect, it } from 'vitest'
import { routerViews } from '../../core/rollout/view/router-view.ts'
import { problem } from '../../core/shared/problem.ts'
import type { RouterName } from '../../core/shared/router-ability.ts'
import { NEW, waitingOn } from './scene.ts'
import { type SettingsChange, simulatedSettings } from './settings.ts'
import { createWorld, isOver, stepKind } from './world.ts'

const OLD_ID = '1.0.0-r'
const NEW_ID = '1.1.0-r'
const REFUSED = problem('ROUTER_REFUSED', { message: 'It does not take this configuration.', remedy: 'none' })

const behind = (names: readonly RouterName[], change?: SettingsChange) => {
  const [router = 'builtin', ...also] = names
  const served = also.map((name, index) => ({
    router: name,
    listen: { host: '127.0.0.1', port: 8090 + index },
  }))
  return { ...simulatedSettings(change), router, ...(served.length === 0 ? {} : { also: served }) }
}

/** A service behind these, and a candidate on its way to its first 5%. */
function behindSeveral(names: readonly RouterName[] = ['builtin', 'haproxy'], change?: SettingsChange) {
  const world = createWorld({ settings: behind(names, change) })
  world.withStable()
  return world
}
type World = ReturnType<typeof behindSeveral>

const shareAt = (world: World, name: RouterName): number | undefined => world.routers[name].weights()[NEW_ID]
const at = (world: World, permille: number): void =>
  world.passUntil(
    (state) => state.traffic.confirmed?.weights[NEW_ID] === permille && stepKind(state) === 'observe',
  )
const sentences = (world: World): string[] => routerViews(world.state()).map(({ sentence }) => sentence)
const stopped = (world: World): string[] => world.eventsOf('set-stopping').map(({ release }) => release)

describe('a service behind several routers', () => {
  it('has the same share at each before a step is done, and nobody stops before all let go (S125, S130)', () => {
    const world = behindSeveral(['haproxy', 'builtin', 'nginx'])
    world.deploy(NEW)
    at(world, 50)
    expect((['haproxy', 'builtin', 'nginx'] as const).map((name) => shareAt(world, name))).toEqual([
      50, 50, 50,
    ])
    expect(sentences(world)).toEqual([
      'HAProxy at 127.0.0.1:8080 shows 1.0.0 95%, 1.1.0 5%',
      'the built-in proxy at 127.0.0.1:8090 shows 1.0.0 95%, 1.1.0 5%',
      'nginx at 127.0.0.1:8091 shows 1.0.0 95%, 1.1.0 5%',
    ])
    world.passUntil(isOver)
    expect([world.outcomes().at(-1), stopped(world)]).toEqual(['promoted', [OLD_ID]])
    // Each change is confirmed with one look: nothing is said about a difference that nobody could see.
    expect(world.eventsOf('routes-shown').filter(({ shown }) => shown.some((one) => one.took))).toEqual([])
  })

  it('counts the requests of all of them as one (S125)', () => {
    const alone = behindSeveral(['builtin'])
    const several = behindSeveral(['builtin', 'haproxy'])
    for (const world of [alone, several]) {
      world.deploy(NEW)
      at(world, 500)
      world.pass(5_000)
    }
    const seen = (world: World): number => world.state().rollout?.total.candidate.requests ?? 0
    expect(Math.abs(seen(several) - seen(alone))).toBeLessThanOrEqual(8)
  })

  it('keeps the step, the share unconfirmed and the old instances while one of three does not take the change (S130)', () => {
    const world = behindSeveral(['builtin', 'haproxy', 'nginx'])
    world.deploy(NEW)
    at(world, 500)
    world.routers.nginx.refuse({ ...REFUSED, message: 'Not now.', retryable: true })
    world.passUntil((state) => stepKind(state) === 'traffic')
    world.pass(60_000)
    expect([shareAt(world, 'builtin'), shareAt(world, 'haproxy'), shareAt(world, 'nginx')]).toEqual([
      1000, 1000, 500,
    ])
    expect([stepKind(world.state()), stopped(world)]).toEqual(['traffic', []])
    expect(world.state().traffic.confirmed?.weights[NEW_ID]).toBe(500)
    expect(sentences(world)).toEqual([
      'the built-in proxy at 127.0.0.1:8080 shows 1.1.0 100%',
      'HAProxy at 127.0.0.1:8090 shows 1.1.0 100%',
      'nginx at 127.0.0.1:8091 does not show the decided shares, but 1.0.0 50%, 1.1.0 50%: Not now.',
    ])
    expect(waitingOn(world)?.message).toBe(
      'nginx confirms the weights; it is tried again and again: Not now.',
    )
    world.routers.nginx.refuse(null)
    world.passUntil(isOver)
    expect([world.outcomes().at(-1), stopped(world), shareAt(world, 'nginx')]).toEqual([
      'promoted',
      [OLD_ID],
      1000,
    ])
  })

  it('goes back everywhere when one refuses the new shares for good, and says which and why (S125)', () => {
    const world = behindSeveral()
    world.deploy(NEW)
    at(world, 50)
    world.routers.haproxy.refuse(REFUSED)
    world.passUntil((state) => state.rollout?.phase.kind === 'returning')
    expect(shareAt(world, 'builtin')).toBe(250)
    world.routers.haproxy.refuse(null)
    world.passUntil(isOver)
    expect([shareAt(world, 'builtin') ?? 0, shareAt(world, 'haproxy') ?? 0]).toEqual([0, 0])
    expect(world.outcomes().at(-1)).toBe('failed')
    const [back] = world.eventsOf('return-started')
    expect(back?.reason).toMatchObject({
      code: 'ROUTERS_DIFFER',
      message:
        'HAProxy refused the new shares, so all go back to stable: It does not take this configuration.',
    })
    expect(world.state().blocks).toEqual([])
  })

  it('takes the others back and keeps the candidate, while the one that refused keeps its share (S125, S130)', () => {
    const world = behindSeveral()
    world.deploy(NEW)
    at(world, 50)
    world.routers.haproxy.refuse(REFUSED)
    world.passUntil((state) => state.rollout?.phase.kind === 'returning')
    world.pass(30_000)
    expect([shareAt(world, 'builtin') ?? 0, shareAt(world, 'haproxy')]).toEqual([0, 50])
    expect([world.outcomes().length, stopped(world)]).toEqual([1, []])
    expect(waitingOn(world)?.message).toBe(
      'HAProxy confirms that all traffic is back on stable; it is tried again and again: It does not take this configuration.',
    )
    expect(world.eventsOf('return-stalled')).toHaveLength(1)
    world.routers.haproxy.refuse(null)
    world.passUntil(isOver)
    world.passUntil(({ sets }) => sets.every(({ release }) => release !== NEW_ID))
    expect(stopped(world)).toEqual([NEW_ID])
  })

  it('sets foreign weights right at the one router that has them (S126)', () => {
    const world = behindSeveral()
    world.deploy(NEW)
    at(world, 500)
    const told = world.routers.builtin.written().length
    world.routers.haproxy.edit({ [OLD_ID]: 100, [NEW_ID]: 900 })
    world.pass(1_000)
    expect(world.eventsOf('routes-drifted')).toMatchObject([
      { router: 'haproxy', observed: { [NEW_ID]: 900 }, cause: 'edited' },
    ])
    expect([shareAt(world, 'haproxy'), world.routers.builtin.written().length]).toEqual([500, told])
    world.restartController()
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('leaves foreign weights alone where the file says so, and the other router is still cared for (S126)', () => {
    const world = behindSeveral(['builtin', 'haproxy'], { drift: 'hold' })
    world.deploy(NEW)
    at(world, 500)
    world.routers.haproxy.edit({ [OLD_ID]: 100, [NEW_ID]: 900 })
    world.pass(2_000)
    world.target.crash(OLD_ID, 1)
    world.pass(2_000)
    const activeAt = (name: RouterName) =>
      world.routers[name]
        .state()
        .sets.flatMap(({ instances }) => instances)
        .filter(({ state }) => state === 'active').length
    expect([activeAt('builtin'), activeAt('haproxy')]).toEqual([3, 4])
    expect(shareAt(world, 'haproxy')).toBe(900)
    world.byHand('resume')
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('tells a router that lost its routes, and no other (S125)', () => {
    const world = behindSeveral()
    world.deploy(NEW)
    at(world, 500)
    const told = world.routers.builtin.written().length
    world.routers.haproxy.forget()
    world.pass(2_000)
    expect(world.eventsOf('routes-drifted')).toMatchObject([{ router: 'haproxy', cause: 'lost' }])
    expect([shareAt(world, 'haproxy'), world.routers.builtin.written().length]).toEqual([500, told])
  })

  it('writes the zero of a side at each router (S128)', () => {
    const world = behindSeveral()
    world.deploy(NEW)
    at(world, 50)
    world.byHand('abort')
    world.passUntil(isOver)
    for (const name of ['builtin', 'haproxy'] as const)
      expect(world.routers[name].written().some((weights) => weights[NEW_ID] === 0)).toBe(true)
  })

  it('has no numbers at all while one of them gives none: half of them is not healthy', () => {
    const world = behindSeveral()
    world.deploy(NEW)
    at(world, 50)
    world.routers.haproxy.silence(true)
    world.pass(2_000)
    expect(world.state().rollout?.sourceFailures?.problem.message).toBe('HAProxy: no answer from the metrics')
    world.pass(60_000)
    expect(stepKind(world.state())).toBe('observe')
  })

  it('keeps an instance on which any router has work, also while the other one is away (S130)', () => {
    const world = behindSeveral()
    const old = world.target.instances().filter(({ release }) => release === OLD_ID)
    world.deploy(NEW)
    world.passUntil((state) => stepKind(state) === 'watch')
    world.routers.haproxy.drain(old, 1_000)
    world.passUntil((state) => stepKind(state) === 'drain', 120_000)
    world.pass(3_000)
    world.routers.haproxy.silence(true)
    world.pass(3_000)
    expect(stopped(world)).toEqual([])
    world.routers.haproxy.silence(false)
    world.routers.haproxy.drain([], 0)
    world.passUntil(isOver)
    expect(stopped(world)).toEqual([OLD_ID])
  })

  it('is taken over by another controller while one of them is away: the other is cared for at once (S130)', () => {
    const world = behindSeveral()
    world.deploy(NEW)
    at(world, 500)
    world.routers.haproxy.silence(true)
    world.restartController(1_000)
    world.pass(2_000)
    expect(world.routers.builtin.state().token?.epoch).toBe(2)
    expect(world.routers.haproxy.state().token?.epoch).toBe(1)
    expect(sentences(world)[1]).toBe(
      'HAProxy at 127.0.0.1:8090 has not been read yet: no answer from the router',
    )
    world.routers.haproxy.silence(false)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('comes from one router to several and goes back to one, and the one that is left lets go last (S131)', () => {
    const world = behindSeveral(['builtin'])
    world.deploy(NEW, { settings: behind(['builtin', 'haproxy']) })
    world.passUntil(isOver)
    expect([shareAt(world, 'builtin'), shareAt(world, 'haproxy')]).toEqual([1000, 1000])
    world.deploy('1.2.0', { settings: behind(['haproxy']) })
    world.passUntil(isOver)
    expect([world.routers.builtin.isListening(), world.routers.haproxy.weights()]).toEqual([
      false,
      { '1.2.0-r': 1000 },
    ])
    expect(world.state().traffic).toMatchObject({ router: 'haproxy', also: [], shown: [], left: [] })
  })

  it('lets go at all of them when the service is given back', () => {
    const world = createWorld({ settings: behind(['builtin', 'haproxy']) })
    world.deploy('1.0.0', { adoption: { port: 9000, pid: null } })
    world.passUntil(isOver)
    world.byHand('unadopt')
    world.passUntil(({ finalizing, sets }) => !finalizing && sets.length === 0)
    expect([world.routers.builtin.isListening(), world.routers.haproxy.isListening()]).toEqual([false, false])
  })
})
