import { describe, expect, it } from 'vitest'
import type { BlueGreenSettings, CanarySettings } from '../../core/release/strategy-settings.ts'
import { serviceView } from '../../core/rollout/view/service-view.ts'
import { NO_SIDE_ROUTES } from '../../core/shared/side-routes.ts'
import { NEW, stage } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver, stepKind } from './world.ts'

const PREVIEW = { host: '127.0.0.1', port: 8090 }
const TESTER = { kind: 'exact', in: 'header', name: 'x-tester', value: '1' } as const
const STICKY = { cookie: 'sluice-release', forMs: 3_600_000 }
const CHECK = {
  kind: 'command' as const,
  name: 'smoke',
  moments: ['before' as const],
  timeoutMs: 5000,
  command: ['check'],
  secrets: [],
}
const STABLE_ID = '1.0.0-r'
const NEW_ID = `${NEW}-r`

function canary(strategy: Partial<CanarySettings>, change = {}): World {
  const world = createWorld({ settings: simulatedSettings({ strategy, ...change }) })
  world.withStable()
  return world
}
function blueGreen(strategy: Partial<BlueGreenSettings>, change = {}): World {
  const world = createWorld({ settings: simulatedSettings({ blueGreen: strategy, ...change }) })
  world.withStable()
  return world
}
const shown = (world: World) => world.router.side().preview?.release
const rules = (world: World) => world.router.side().rules.map(({ release }) => release)
const sticky = (world: World) => world.router.side().sticky?.kind ?? null
const atGate = (world: World): void => world.passUntil((state) => stepKind(state) === 'gate')
const atWeight = (world: World, permille: number): void =>
  world.passUntil((state) => world.weightOf(NEW) === permille && stepKind(state) !== 'traffic')
const besides = (world: World) =>
  serviceView(world.state(), { revision: 1, now: world.now(), timeline: [], inFlight: {} }).besides?.map(
    ({ sentence }) => sentence,
  )

describe('preview address', () => {
  it('shows stable until the candidate has a ready instance, while live traffic stays on stable (S27)', () => {
    const world = blueGreen({ switchAfterMs: null, preview: PREVIEW })
    expect(shown(world)).toBe(STABLE_ID)
    world.target.behave(NEW_ID, 'never-ready')
    world.deploy(NEW)
    world.pass(10_000)
    expect(shown(world)).toBe(STABLE_ID)
    world.target.behave(NEW_ID, 'ready')
    atGate(world)
    world.pass(2000)
    expect([shown(world), world.weightOf('1.0.0')]).toEqual([NEW_ID, 1000])
    expect(besides(world)).toEqual(['127.0.0.1:8090 shows 1.1.0'])
  })

  it('shows stable again when the candidate dies, and the candidate when it is back', () => {
    const world = blueGreen({ switchAfterMs: null, preview: PREVIEW })
    world.deploy(NEW)
    atGate(world)
    world.passUntil(() => shown(world) === NEW_ID)
    world.target.crash(NEW_ID)
    world.passUntil(() => shown(world) === STABLE_ID)
    world.target.restart(NEW_ID)
    world.passUntil(() => shown(world) === NEW_ID)
  })

  it('shows the candidate before its checks, and after they failed while it is kept (S31)', () => {
    const world = blueGreen({ preview: PREVIEW, holdMs: 60_000 }, { verify: [CHECK] })
    world.setChecks(() => 'fails')
    world.deploy(NEW)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    world.pass(5000)
    expect([shown(world), world.weightOf(NEW)]).toEqual([NEW_ID, 0])
    world.pass(70_000)
    expect(shown(world)).toBe(STABLE_ID)
  })

  it('is back on stable once the candidate is stable itself, and stays so', () => {
    const world = blueGreen({ preview: PREVIEW })
    world.deploy(NEW)
    world.passUntil(isOver)
    world.pass(2000)
    expect(shown(world)).toBe(NEW_ID)
    expect(world.state().stable?.release).toBe(NEW_ID)
  })
})

describe('tester routes', () => {
  it('lead to the candidate at every weight, also before the first (S42)', () => {
    const world = canary({ routes: [TESTER], steps: [stage(50), stage(500), stage(1000)] })
    world.deploy(NEW)
    for (const permille of [50, 500]) {
      atWeight(world, permille)
      expect(rules(world)).toEqual([NEW_ID])
    }
  })

  it('lead only testers to it while a gate is closed: all others stay with stable (S45)', () => {
    const world = blueGreen({ switchAfterMs: null, routes: [TESTER] })
    world.deploy(NEW)
    atGate(world)
    world.pass(60_000)
    expect([rules(world), world.weightOf(NEW)]).toEqual([[NEW_ID], 0])
  })

  it('wait for the checks before traffic', () => {
    const world = blueGreen({ routes: [TESTER], switchAfterMs: null }, { verify: [CHECK] })
    world.setChecks(() => 'fails')
    world.deploy(NEW)
    world.passUntil(isOver)
    expect(world.eventsOf('routes-decided').every(({ side }) => side.rules.length === 0)).toBe(true)
  })

  it('are suspended while the candidate has no ready instance', () => {
    const world = blueGreen({ routes: [TESTER], switchAfterMs: null })
    world.deploy(NEW)
    atGate(world)
    world.passUntil(() => rules(world).length === 1)
    world.target.crash(NEW_ID)
    world.passUntil(() => rules(world).length === 0)
    world.target.restart(NEW_ID)
    world.passUntil(() => rules(world).length === 1)
  })

  it.each(['promotion', 'abort', 'newer candidate'] as const)('are gone after: %s (S43)', (end) => {
    const world = canary({ routes: [TESTER], steps: [stage(50), stage(1000)] })
    world.deploy(NEW)
    atWeight(world, 50)
    if (end === 'abort') world.byHand('abort')
    if (end === 'newer candidate') {
      world.deploy('1.2.0')
      world.passUntil(() => rules(world).includes('1.2.0-r'))
      expect(rules(world)).toEqual(['1.2.0-r'])
    }
    world.passUntil(isOver)
    world.pass(2000)
    expect(rules(world)).toEqual([])
  })

  it('are set again after restarts of instances, controller and router, and no step runs twice (S44)', () => {
    const world = blueGreen({ routes: [TESTER], switchAfterMs: null })
    world.deploy(NEW)
    atGate(world)
    const steps = world.eventsOf('step-started').length
    world.target.crash(NEW_ID)
    world.restartController()
    world.passUntil(() => rules(world).length === 0)
    world.target.restart(NEW_ID)
    world.passUntil(() => rules(world).length === 1)
    world.router.forget()
    expect(rules(world)).toEqual([])
    world.passUntil(() => rules(world).length === 1)
    world.pass(5000)
    expect(rules(world)).toEqual([NEW_ID])
    expect(world.eventsOf('step-started')).toHaveLength(steps)
  })
})

describe('sticky users', () => {
  it('are told apart from the first weight on, and let go when it is over (S46, S47)', () => {
    const world = canary({ sticky: STICKY, steps: [stage(50), stage(500), stage(1000)] })
    world.deploy(NEW)
    expect(sticky(world)).toBeNull()
    atWeight(world, 50)
    expect(sticky(world)).toBe('assign')
    const salts = () =>
      new Set(
        world
          .eventsOf('routes-decided')
          .flatMap(({ side }) => (side.sticky?.kind === 'assign' ? [side.sticky.salt] : [])),
      )
    atWeight(world, 500)
    expect(salts().size).toBe(1)
    world.passUntil(isOver)
    world.pass(2000)
    expect(sticky(world)).toBe('expire')
  })

  it('are bound to nothing after an abort (S47)', () => {
    const world = canary({ sticky: STICKY })
    world.deploy(NEW)
    atWeight(world, 50)
    world.byHand('abort')
    world.passUntil(isOver)
    expect([sticky(world), world.weightOf(NEW)]).toEqual(['expire', 0])
  })

  it('are not told apart in a release that was the first', () => {
    const world = createWorld({
      settings: simulatedSettings({ strategy: { sticky: STICKY, routes: [TESTER] } }),
    })
    world.withStable()
    expect(world.router.side()).toEqual(NO_SIDE_ROUTES)
  })
})
