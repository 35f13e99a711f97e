import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LightWatchSettings } from '../../core/release/strategy-settings.ts'
import { evolve } from '../../core/rollout/evolve.ts'
import type { Actor } from '../../core/rollout/reason.ts'
import { announcementOf } from '../../core/rollout/view/messages.ts'
import { serviceView } from '../../core/rollout/view/service-view.ts'
import { NEW } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver } from './world.ts'

const HOUR_MS = 3_600_000
/** Long enough for everything; a day is only named where it is about a day. */
const LENGTH_MS = 20 * 60_000
const ADA: Actor = { kind: 'person', name: 'ada' }
const STABLE = '1.0.0'

/** A world in which a canary was promoted and is watched lightly. */
function withPromoted(lightWatch: LightWatchSettings | null, change: { errorShare?: number } = {}): World {
  const settings = simulatedSettings({ strategy: { lightWatch } })
  const world = createWorld({ settings })
  world.withStable(STABLE)
  world.router.quality(`${STABLE}-r`, change)
  world.router.quality(`${NEW}-r`, change)
  world.deploy(NEW)
  world.passUntil(isOver)
  expect(world.outcomes().at(-1)).toBe('promoted')
  return world
}

const watched = (world: World) => world.state().lightWatch
const viewOf = (world: World) =>
  serviceView(world.state(), { revision: 1, now: world.now(), timeline: [], inFlight: {} })
const alarm = (onFinding: LightWatchSettings['onFinding'] = 'alarm', forMs = LENGTH_MS) => ({
  forMs,
  onFinding,
})

describe('the light watch after a promotion', () => {
  it('begins with the promotion of a canary and ends after its time, with nothing found', () => {
    const world = withPromoted(alarm())
    expect(watched(world)?.version).toBe(NEW)
    expect(viewOf(world)).toMatchObject({
      warnings: [],
      lightWatch: { version: NEW, onFinding: 'alarm', alarms: [], until: world.now() + LENGTH_MS },
    })
    world.pass(LENGTH_MS)
    expect(watched(world)).toBeNull()
    expect(world.eventsOf('light-watch-alarmed')).toEqual([])
    expect(world.eventsOf('light-watch-ended')[0]?.reason.message).toMatch(
      /^the light watch of 1\.1\.0 is over after 20m and \d+ requests with 0 errors; nothing was found$/,
    )
  })

  it('does not begin where it is off, and not for a first release or a way back', () => {
    expect(watched(withPromoted(null))).toBeNull()
    const first = createWorld({ settings: simulatedSettings({ strategy: { lightWatch: alarm() } }) })
    first.withStable()
    expect(watched(first)).toBeNull()
    const back = withPromoted(alarm())
    back.deploy(STABLE, { kind: 'rollback' })
    expect(watched(back)).toBeNull()
    back.passUntil(isOver)
    expect(watched(back)).toBeNull()
  })

  it('alarms once about errors that begin after half a day, with the numbers and the way back, and changes no traffic', () => {
    const world = withPromoted(alarm('alarm', 24 * HOUR_MS), { errorShare: 0.003 })
    world.restartController(12 * HOUR_MS)
    world.pass(60_000)
    expect(world.eventsOf('light-watch-alarmed')).toEqual([])
    const before = world.events().length
    world.router.quality(`${NEW}-r`, { errorShare: 0.021 })
    world.pass(10 * 60_000)
    const [first] = world.eventsOf('light-watch-alarmed')
    expect(first?.reason.message).toMatch(
      /^errors [12]\.\d% \(\d+ of \d+ in the last \d+.*\) against 0\.\d+% of 1\.\d\.0 \(\d+ of \d+ during the rollout\), limit \d\.\d+%; fewer than 1 in [\d,]+ healthy releases would show this$/,
    )
    expect(viewOf(world).warnings[0]).toMatch(
      /^1\.1\.0 since promotion: errors .* "sluice rollback" takes you back to 1\.0\.0 in about \d+s\.$/,
    )
    const alarms = world
      .events()
      .flatMap((event) => announcementOf(event, world.state()) ?? [])
      .filter(({ type }) => type === 'rollout.light_watch_alarm')
    expect(alarms).toHaveLength(1)
    expect(alarms[0]?.summary).toMatch(
      /^shop 1\.1\.0 in local: since promotion: errors .*"sluice rollback" takes you back to 1\.0\.0/,
    )
    const kinds = new Set(
      world
        .events()
        .slice(before)
        .map(({ kind }) => kind),
    )
    expect([...kinds].sort()).toEqual(['light-watch-alarmed', 'light-watch-counted'])
    expect(world.weightOf(NEW)).toBe(1000)
  })

  it('does not alarm about errors that the stable release before had, too', () => {
    const world = withPromoted(alarm(), { errorShare: 0.06 })
    world.pass(LENGTH_MS)
    expect(world.eventsOf('light-watch-alarmed')).toEqual([])
  })

  it('alarms about latency against what was recorded', () => {
    const settings = simulatedSettings({
      strategy: { lightWatch: alarm() },
      analysis: { critical: { errorRatePercent: 5, p95TimesStable: 2 } },
    })
    const world = createWorld({ settings })
    world.withStable(STABLE)
    world.deploy(NEW)
    world.passUntil(isOver)
    world.router.quality(`${NEW}-r`, { bucket: 18 })
    world.pass(120_000)
    expect(world.eventsOf('light-watch-alarmed')[0]?.check).toBe('p95 latency')
  })

  it.each(['no-data', 'failure'] as const)(
    'stops with %s and says so, and watches that time later',
    (answer) => {
      const world = withPromoted(alarm())
      world.pass(60_000)
      const due = viewOf(world).lightWatch?.until ?? 0
      world.setMetrics(answer)
      world.router.quality(`${NEW}-r`, { errorShare: 0.5 })
      world.pass(10 * 60_000)
      world.router.quality(`${NEW}-r`, {})
      expect(world.eventsOf('light-watch-blind')).toHaveLength(1)
      expect(viewOf(world).warnings[0]).toContain('has had no numbers for')
      world.setMetrics('samples')
      world.pass(1000)
      expect(viewOf(world).lightWatch?.blindSince).toBeNull()
      expect((viewOf(world).lightWatch?.until ?? 0) - due).toBeGreaterThanOrEqual(9 * 60_000)
    },
  )

  it('ends in any case after twice its time, without a number', () => {
    const world = withPromoted(alarm('alarm', 600_000))
    world.setMetrics('failure')
    world.pass(1_300_000)
    expect(watched(world)).toBeNull()
    expect(world.eventsOf('light-watch-ended')[0]?.reason.message).toContain('of it without numbers')
  })

  it('goes on after a restart of the controller with the same evidence and the same end', () => {
    const world = withPromoted(alarm())
    const until = viewOf(world).lightWatch?.until
    world.pass(10 * 60_000)
    const counted = watched(world)
    world.restartController(120_000)
    expect(watched(world)).toEqual(counted)
    expect(viewOf(world).lightWatch?.until).toBe(until)
    world.router.quality(`${NEW}-r`, { errorShare: 0.3 })
    world.pass(60_000)
    expect(world.eventsOf('light-watch-alarmed').length).toBeGreaterThan(0)
  })

  it('ends when a new deploy begins, on a rollback, and when the service is given back', () => {
    const deployed = withPromoted(alarm())
    deployed.deploy('1.2.0')
    expect(watched(deployed)).toBeNull()
    const promoted = withPromoted(alarm())
    const reason = { code: 'RELEASED', message: 'given back', evidence: {}, actor: ADA }
    const released = { kind: 'control-released' as const, at: promoted.now(), reason, sequence: 99 }
    expect(evolve(promoted.state(), released).lightWatch).toBeNull()
  })

  it('goes back by itself where the file says so, once, and blocks the release', () => {
    const world = withPromoted(alarm('rollback'))
    world.router.quality(`${NEW}-r`, { errorShare: 0.3 })
    world.passUntil(({ stable }) => stable?.version === STABLE)
    world.passUntil(isOver)
    world.pass(60_000)
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(world.weightOf(STABLE)).toBe(1000)
    expect(world.eventsOf('rollout-started')).toHaveLength(3)
    expect(world.eventsOf('rollout-started').at(-1)?.rollout.actor.kind).toBe('engine')
    expect(world.state().blocks.map(({ version }) => version)).toEqual([NEW])
    expect(watched(world)).toBeNull()
  })

  it('asks for no way back to a release that is blocked', () => {
    const world = withPromoted(alarm('rollback'))
    const release = { release: `${STABLE}-r`, version: STABLE, digest: 'sha256:1' }
    world.send({ kind: 'block', release, actor: ADA, note: '' })
    world.router.quality(`${NEW}-r`, { errorShare: 0.3 })
    world.pass(60_000)
    expect(world.weightOf(NEW)).toBe(1000)
    expect(viewOf(world).warnings[0]).toContain('There is no earlier release to go back to')
  })

  it('writes down almost nothing: six counts an hour in a watch of a day, none without requests', () => {
    const world = withPromoted(alarm('alarm', 24 * HOUR_MS))
    const before = world.events().length
    world.pass(3 * KEEP_MS)
    expect(world.events().length - before).toBeLessThanOrEqual(3)
    const idle = withPromoted(alarm('alarm', 24 * HOUR_MS))
    idle.setTraffic(0)
    idle.pass(KEEP_MS)
    const quiet = idle.events().length
    idle.pass(2 * KEEP_MS)
    expect(idle.events().length).toBe(quiet)
  })

  it('never changes traffic by itself with "onFinding: alarm", whatever the numbers do', () => {
    const quality = fc.record({
      errorShare: fc.constantFrom(0, 0.001, 0.02, 0.3, 1),
      bucket: fc.constantFrom(3, 12, 18, 21),
    })
    const move = fc.oneof(
      fc.record({ kind: fc.constant('quality' as const), quality }),
      fc.record({
        kind: fc.constant('metrics' as const),
        to: fc.constantFrom('samples' as const, 'no-data' as const, 'failure' as const),
      }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 500, max: 120_000 }) }),
      fc.record({ kind: fc.constant('restart' as const), ms: fc.integer({ min: 0, max: 60_000 }) }),
      fc.record({ kind: fc.constant('jump' as const), ms: fc.integer({ min: -HOUR_MS, max: HOUR_MS }) }),
    )
    fc.assert(
      fc.property(fc.array(move, { minLength: 3, maxLength: 10 }), (moves) => {
        const world = withPromoted(alarm())
        const before = world.events().length
        for (const one of moves) {
          if (one.kind === 'quality') world.router.quality(`${NEW}-r`, one.quality)
          else if (one.kind === 'metrics') world.setMetrics(one.to)
          else if (one.kind === 'pass') world.pass(one.ms)
          else if (one.kind === 'restart') world.restartController(one.ms)
          else world.jumpClock(one.ms)
        }
        const kinds = world
          .events()
          .slice(before)
          .map(({ kind }) => kind)
        expect(kinds.filter((kind) => TRAFFIC_EVENTS.includes(kind))).toEqual([])
        expect(world.weightOf(NEW)).toBe(1000)
      }),
      { numRuns: 12 },
    )
  })
})

const KEEP_MS = 600_000
const TRAFFIC_EVENTS = [
  'weights-decided',
  'routes-decided',
  'rollout-started',
  'rollout-queued',
  'return-started',
  'set-wanted',
  'set-retiring',
  'release-blocked',
]
