import { describe, expect, it } from 'vitest'
import { ServiceState } from '../../core/rollout/state.ts'
import { serviceView } from '../../core/rollout/view/service-view.ts'
import { timelineEntry } from '../../core/rollout/view/timeline.ts'
import { NEW, withCandidateAt } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import { createWorld, isOver, type World } from './world.ts'

const OLD_RELEASE = '1.0.0-r'
const NEW_RELEASE = `${NEW}-r`
const KNOWN_MOST = 200

type Writing = { release: string; everyMs: number; text?: (time: number) => string; forMs?: number }

/** Time goes on, and each of these writes an error now and then, with other numbers each time. */
function write(world: World, writings: readonly Writing[], forMs: number): void {
  for (let passed = 0; passed < forMs && !isOver(world.state()); passed += 500) {
    for (const { release, everyMs, text = orderText } of writings)
      if (passed % everyMs === 0) world.target.say(release, text(passed))
    world.pass(500)
  }
}
const orderText = (time: number): string => `order ${4000 + time} of u${time}@example.com: no such column`

const worldWith = (newErrors: 'report' | 'warning' | 'critical', more = {}): World =>
  createWorld({ settings: simulatedSettings({ analysis: { newErrors, ...more } }) })
const foundIn = (world: World) => world.state().rollout?.newErrors.found ?? []
const viewOf = (world: World) =>
  serviceView(world.state(), { revision: 1, now: world.now(), timeline: [], inFlight: {} }).rollout

describe('errors that only the candidate writes', () => {
  it('take it back when the file says so, though no request fails', () => {
    const world = withCandidateAt(50, worldWith('critical'))
    write(world, [{ release: NEW_RELEASE, everyMs: 1000 }], 60_000)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    const [back] = world.eventsOf('return-started')
    expect(back?.reason.code).toBe('NEW_ERRORS')
    expect(back?.reason.message).toMatch(
      /1\.1\.0 writes an error that 1\.0\.0 does not, \d+ times so far: order \d+/,
    )
    expect(back?.reason.evidence).toMatchObject({
      newErrors: [{ template: 'order <n> of <email>: no such column' }],
    })
    expect(world.state().rollout?.total.candidate.errors).toBe(0)
  })

  it('pause it when the file says so, once for each kind', () => {
    const world = withCandidateAt(50, worldWith('warning'))
    write(world, [{ release: NEW_RELEASE, everyMs: 1000 }], 30_000)
    expect(world.eventsOf('rollout-paused')).toMatchObject([{ reason: { code: 'NEW_ERRORS' } }])
    world.byHand('resume')
    world.passUntil(isOver)
    expect(world.eventsOf('rollout-paused')).toHaveLength(1)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('are told and nothing more by default, with count and example', () => {
    const world = withCandidateAt(50, worldWith('report'))
    write(world, [{ release: NEW_RELEASE, everyMs: 1000 }], 10_000)
    expect(viewOf(world)?.newErrors).toMatchObject([
      { template: 'order <n> of <email>: no such column', count: 10, example: orderText(0) },
    ])
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    const told = world.eventsOf('errors-said').flatMap((event) => timelineEntry(1, event, String)?.text ?? [])
    expect(told).toEqual([`the candidate writes an error that stable does not (once): ${orderText(0)}`])
  })

  it('stand in the reason of a rollback that has another cause', () => {
    const world = withCandidateAt(50, worldWith('report'))
    write(world, [{ release: NEW_RELEASE, everyMs: 1000 }], 3000)
    world.target.crash(NEW_RELEASE)
    world.passUntil(isOver)
    const [back] = world.eventsOf('return-started')
    expect(back?.reason.code).toBe('INSTANCES_FAILING')
    expect(back?.reason.message).toMatch(/; it also writes what 1\.0\.0 does not: order .* \(3 times\)$/)
  })

  it('are none in a state that was stored before there were any', () => {
    const world = withCandidateAt(50, worldWith('report'))
    const { knownErrors: _, rollout, ...older } = world.state()
    const { newErrors: __, ...olderRollout } = rollout ?? {}
    const read = ServiceState.parse({ ...older, rollout: olderRollout })
    expect(read).toMatchObject({ knownErrors: [], rollout: { newErrors: { found: [], more: 0 } } })
  })

  it('cost nothing in the journal while they do not come again (INV9)', () => {
    const world = withCandidateAt(50, worldWith('report'))
    world.target.say(NEW_RELEASE, 'no such column')
    world.pass(1000)
    const before = world.eventsOf('errors-said').length
    world.pass(20_000)
    expect(world.eventsOf('errors-said')).toHaveLength(before)
  })
})

describe('no false alarm', () => {
  it.each(['warning', 'critical'] as const)('comes of one stray line or one burst (%s)', (setting) => {
    const world = withCandidateAt(50, worldWith(setting))
    for (let time = 0; time < 500; time += 1) world.target.say(NEW_RELEASE, `retry ${time} failed`)
    world.target.say(NEW_RELEASE, 'a stray line')
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(world.eventsOf('rollout-paused')).toEqual([])
  })

  it('comes of what both versions write, whoever writes it first', () => {
    const world = withCandidateAt(50, worldWith('critical'))
    write(world, [{ release: NEW_RELEASE, everyMs: 1000 }], 3000)
    expect(foundIn(world)).toHaveLength(1)
    write(
      world,
      [NEW_RELEASE, OLD_RELEASE].map((release) => ({ release, everyMs: 1000 })),
      60_000,
    )
    expect(foundIn(world)).toEqual([])
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('comes of what stable wrote long ago, under another release', () => {
    const world = worldWith('critical')
    world.withStable()
    world.target.say(OLD_RELEASE, orderText(1))
    world.pass(1000)
    world.deploy('1.0.1')
    world.passUntil(({ stable }) => stable?.version === '1.0.1')
    world.passUntil(isOver)
    world.deploy(NEW)
    world.passUntil(() => world.weightOf(NEW) === 50)
    write(world, [{ release: NEW_RELEASE, everyMs: 500 }], 60_000)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('comes while stable writes more kinds than anybody keeps', () => {
    const world = withCandidateAt(50, worldWith('critical'))
    for (let kind = 0; kind < 60; kind += 1) world.target.say(OLD_RELEASE, `${'x'.repeat(kind)} broke`)
    write(world, [{ release: NEW_RELEASE, everyMs: 500 }], 60_000)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('needs room: what is remembered has a bound', () => {
    const world = worldWith('report')
    world.withStable()
    for (const [round, version] of ['1.0.1', '1.0.2', '1.0.3', '1.0.4', '1.0.5'].entries()) {
      const release = `${world.state().stable?.version}-r`
      const place = 'abcde'.charAt(round)
      for (let kind = 0; kind < 49; kind += 1) world.target.say(release, `${place}${'y'.repeat(kind)} broke`)
      world.pass(1000)
      world.deploy(version)
      world.passUntil(isOver)
    }
    expect(world.state().knownErrors).toHaveLength(KNOWN_MOST)
  })

  it('comes of errors in both at the same rate of time, in rollouts that differ in nothing', () => {
    // A rare error that stable has not written yet falls on either side by chance.
    const outcomes = Array.from({ length: 4 }, (_, seed) => {
      const world = withCandidateAt(50, worldWith('critical', { newErrorsAtLeast: 1 }))
      let chance = seed * 7919 + 1
      const random = (): number => {
        chance = (chance * 48_271) % 2_147_483_647
        return chance / 2_147_483_647
      }
      for (let passed = 0; passed < 60_000 && !isOver(world.state()); passed += 500) {
        for (const release of [NEW_RELEASE, OLD_RELEASE])
          if (random() < 0.05) world.target.say(release, 'a rare error')
        world.pass(500)
      }
      return world.eventsOf('return-started').length
    })
    expect(outcomes.reduce((sum, count) => sum + count, 0)).toBe(0)
  })
})
