import { describe, expect, it } from 'vitest'
import { ALERTMANAGER, ALERTS_LIMIT, hear } from '../../core/rollout/judging/alerts.ts'
import { timelineEntry } from '../../core/rollout/view/timeline.ts'
import type { Alert } from '../../core/shared/alert.ts'
import { decidedWeights, NEW, stage, withCandidateAt } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import { createWorld, isOver, type World } from './world.ts'

const alertAt = (world: World, change: Partial<Alert> = {}): Alert => ({
  fingerprint: 'f1',
  name: 'HighErrorRate',
  status: 'firing',
  labels: { alertname: 'HighErrorRate', service: 'shop', severity: 'critical' },
  summary: 'the shop fails',
  link: 'http://prometheus.example/graph',
  startsAt: world.now(),
  ...change,
})
const labelled = (labels: Record<string, string>) => ({
  labels: { alertname: 'HighErrorRate', service: 'shop', ...labels },
})
const say = (world: World, ...alerts: Alert[]) =>
  world.send({ kind: 'hear-alerts', alerts, actor: ALERTMANAGER })
const ignoredBecause = (world: World, alert: Alert): string => {
  const hearing = hear(world.state(), alert, world.now())
  return hearing.kind === 'ignored' ? hearing.why : hearing.kind
}
const isPaused = (world: World): boolean => {
  const phase = world.state().rollout?.phase
  return phase?.kind === 'running' && phase.paused !== null
}
const told = (world: World): string[] =>
  world.events().flatMap((event) => {
    const entry = event.kind.startsWith('alert-') ? timelineEntry(1, event, String) : null
    return entry === null ? [] : [`${entry.actor}: ${entry.text}`]
  })
function policyWorld(alerts: Partial<ReturnType<typeof simulatedSettings>['analysis']['alerts']>): World {
  const all = { critical: 'rollback' as const, warning: 'pause' as const, match: {}, ...alerts }
  return createWorld({ settings: simulatedSettings({ analysis: { alerts: all } }) })
}

describe('an alert', () => {
  it('that is critical rolls the candidate back in the very decision that heard of it, and names itself', () => {
    const world = withCandidateAt(50)
    const decided = say(world, alertAt(world))
    expect(decided.kind === 'ok' && decided.value.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['alert-heard', 'return-started', 'release-blocked']),
    )
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.eventsOf('return-started')[0]?.reason).toMatchObject({
      code: 'ALERT_CRITICAL',
      message: 'alert HighErrorRate is firing (critical): the shop fails',
      evidence: {
        alert: 'HighErrorRate',
        fingerprint: 'f1',
        labels: { service: 'shop', severity: 'critical' },
        link: 'http://prometheus.example/graph',
      },
      actor: { name: 'alertmanager' },
    })
    expect(world.state().automaticRollbacks).toHaveLength(1)
  })

  it('that warns pauses once, however often it is sent, and not again after somebody let it pass', () => {
    const world = withCandidateAt(50)
    const warning = alertAt(world, labelled({ severity: 'warning' }))
    say(world, warning)
    expect(isPaused(world)).toBe(true)
    const before = world.events().length
    for (const _time of [1, 2, 3]) say(world, warning, warning)
    expect(world.events()).toHaveLength(before)
    world.byHand('resume')
    say(world, warning)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(world.eventsOf('rollout-paused')).toHaveLength(1)
  })

  it('that ends does not end the pause it made, and says how to go on', () => {
    const world = withCandidateAt(50)
    const warning = alertAt(world, labelled({ severity: 'warning' }))
    say(world, warning)
    say(world, { ...warning, status: 'resolved' })
    say(world, { ...warning, status: 'resolved' })
    world.pass(60_000)
    expect(isPaused(world)).toBe(true)
    expect(told(world)).toEqual([
      'alertmanager: alert HighErrorRate is firing (warning): the shop fails',
      'alertmanager: alert HighErrorRate is over; what it paused goes on with "sluice resume"',
    ])
  })

  it('that ended and comes again pauses again', () => {
    const world = withCandidateAt(50)
    const warning = alertAt(world, labelled({ severity: 'warning' }))
    say(world, warning)
    say(world, { ...warning, status: 'resolved' })
    world.byHand('resume')
    world.pass(1000)
    say(world, { ...warning, startsAt: world.now() })
    expect(isPaused(world)).toBe(true)
  })

  it.each([
    ['fired before the rollout began', (world: World) => alertAt(world, { startsAt: 1000 })],
    ['is of another severity', (world: World) => alertAt(world, labelled({ severity: 'info' }))],
    ['has no severity', (world: World) => alertAt(world, labelled({}))],
  ])('that %s is told and changes nothing', (_name, alert) => {
    const world = withCandidateAt(50)
    say(world, alert(world))
    world.pass(2000)
    expect(told(world)).toHaveLength(1)
    expect(isPaused(world)).toBe(false)
    expect(world.eventsOf('return-started')).toEqual([])
  })

  it('that comes before the candidate has traffic changes nothing, then or later', () => {
    const world = createWorld()
    world.withStable()
    world.deploy(NEW)
    world.look()
    say(world, alertAt(world))
    expect(told(world)[0]).toContain('nothing follows from it, since the candidate has no traffic')
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('is ignored, with the reason, when it is about something else', () => {
    const world = withCandidateAt(50, policyWorld({ match: { team: 'shop' } }))
    const of = (labels: Record<string, string>) => ignoredBecause(world, alertAt(world, labelled(labels)))
    expect(of({})).toBe('its label team is missing, not "shop"')
    expect(of({ team: 'pay' })).toBe('its label team is "pay", not "shop"')
    expect(of({ team: 'shop', version: '1.0.0' })).toBe('it is about version 1.0.0, not about 1.1.0')
    expect(of({ team: 'shop', release: '1.0.0-r' })).toBe('it is about release 1.0.0-r, not about 1.1.0')
    expect(of({ team: 'shop', version: NEW, release: `${NEW}-r` })).toBe('heard')
    const over = { ...alertAt(world, labelled({ team: 'shop' })), status: 'resolved' as const }
    expect(ignoredBecause(world, over)).toBe('it ended before anything was heard of it')
  })

  it('is ignored without a rollout, and once the candidate is stable', () => {
    const world = createWorld()
    world.withStable()
    expect(ignoredBecause(world, alertAt(world))).toBe('no rollout of shop.local is in progress')
    world.deploy(NEW)
    world.passUntil(({ stable }) => stable?.version === NEW)
    expect(ignoredBecause(world, alertAt(world))).toBe('no rollout of shop.local is in progress')
  })

  it('does what the settings say: only told, paused, or held where it is', () => {
    const reported = withCandidateAt(50, policyWorld({ critical: 'report' }))
    say(reported, alertAt(reported))
    reported.passUntil(isOver)
    expect(reported.outcomes().at(-1)).toBe('promoted')
    const paused = withCandidateAt(50, policyWorld({ critical: 'pause' }))
    say(paused, alertAt(paused))
    expect(isPaused(paused)).toBe(true)
    const settings = simulatedSettings({ rollback: { onFailure: 'hold' } })
    const held = withCandidateAt(50, createWorld({ settings }))
    say(held, alertAt(held))
    held.pass(5000)
    expect(held.weightOf(NEW)).toBe(50)
    expect(held.eventsOf('failure-held')).toHaveLength(1)
  })

  it('rolls back in the watch, too, where a pause is of no use', () => {
    const settings = simulatedSettings({ strategy: { steps: [stage(500), stage(1000)] } })
    const world = withCandidateAt(1000, createWorld({ settings }))
    say(world, alertAt(world, { fingerprint: 'w', ...labelled({ severity: 'warning' }) }))
    expect(isPaused(world)).toBe(false)
    say(world, alertAt(world))
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(decidedWeights(world).at(-1)).toBe(0)
  })
})

describe('a storm of alerts', () => {
  it('is kept to a limit, and the one that matters gets in all the same', () => {
    const world = withCandidateAt(50)
    const storm = Array.from({ length: 3000 }, (_, index) =>
      alertAt(world, { fingerprint: `n${index}`, ...labelled({ severity: 'info' }) }),
    )
    say(world, ...storm)
    expect(world.state().rollout?.alerts).toHaveLength(ALERTS_LIMIT)
    say(world, ...storm.slice(1000))
    expect(world.eventsOf('alert-heard')).toHaveLength(ALERTS_LIMIT)
    say(world, alertAt(world))
    expect(world.state().rollout?.alerts).toHaveLength(ALERTS_LIMIT)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
  })
})
