import { describe, expect, it } from 'vitest'
import {
  candidateSays,
  counts,
  declared,
  healthy,
  nothing,
  rowOf,
  told,
  trouble,
  worldWith,
} from './metric-world.test.kit.ts'
import { NEW, waitingOn } from './scene.ts'
import { isOver, stepKind } from './world.ts'

describe('a declared metric without data', () => {
  it('is never healthy (S53): the stage waits, it is said once, and goes on when the numbers come', () => {
    const world = worldWith(declared(), candidateSays(nothing))
    world.passUntil((state) => stepKind(state) === 'observe')
    world.pass(40_000)
    expect(world.weightOf(NEW)).toBe(50)
    expect(waitingOn(world)?.message).toContain('metric payment-failures has no data: There is nothing')
    expect(rowOf(world)).toMatchObject({ verdict: 'no-data' })
    expect(rowOf(world)?.sentence).toContain('no data, policy hold (There is nothing)')
    world.setMetricAnswers(healthy)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(told(world)).toEqual([
      'metric payment-failures has no data: There is nothing.',
      'metric payment-failures has numbers again',
    ])
  })

  it('does not take numbers from before the clock was set back for those of the stage that begins anew', () => {
    const world = worldWith(declared({ everyMs: 1000 }), healthy)
    world.passUntil((state) => stepKind(state) === 'observe')
    world.pass(5000)
    world.jumpClock(-600_000)
    world.setMetricAnswers(() => null)
    world.pass(30_000)
    expect(world.weightOf(NEW)).toBe(50)
    expect(waitingOn(world)?.message).toContain('metric payment-failures')
  })

  it('takes a window in which one version had nothing for no data, too', () => {
    const world = worldWith(declared(), candidateSays(counts(0, 0)))
    world.passUntil((state) => stepKind(state) === 'observe')
    world.pass(40_000)
    expect(world.weightOf(NEW)).toBe(50)
    expect(waitingOn(world)?.message).toContain('nothing was counted of one of the versions')
  })

  it('passes once the patience is over, where it is to be ignored, and the stage says so', () => {
    const world = worldWith(declared({ noData: { afterMs: 6000, policy: 'ignore' } }), candidateSays(nothing))
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    const lines = world.eventsOf('step-finished').map(({ reason }) => reason.message)
    expect(
      lines.filter((line) =>
        line.includes('ignored as configured: payment-failures (no data: There is nothing)'),
      ),
    ).toHaveLength(3)
  })

  it('goes back once the patience is over, where the file says so', () => {
    const world = worldWith(
      declared({ noData: { afterMs: 6000, policy: 'rollback' } }),
      candidateSays(nothing),
    )
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.eventsOf('return-started')[0]?.reason.code).toBe('METRIC_NO_DATA')
  })

  it('missed nothing while no controller looked', () => {
    const world = worldWith(declared({ noData: { afterMs: 6000, policy: 'rollback' } }), healthy)
    world.passUntil(() => world.eventsOf('metric-sampled').length === 1)
    world.restartController(60_000)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })
})

describe('a provider in trouble', () => {
  it('says nothing about the candidate (S55): the stage waits, and goes on once it is well', () => {
    const world = worldWith(declared(), candidateSays(trouble()))
    world.passUntil((state) => stepKind(state) === 'observe')
    world.pass(40_000)
    expect(world.weightOf(NEW)).toBe(50)
    expect(waitingOn(world)?.message).toContain('has a broken provider, policy hold: Nobody answers')
    expect(rowOf(world)).toMatchObject({ verdict: 'provider-broken' })
    world.setMetricAnswers(healthy)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(told(world)).toEqual([
      'the provider of metric payment-failures is broken: Nobody answers.',
      'metric payment-failures has numbers again',
    ])
  })

  it.each([
    ['ignore', 'promoted', undefined],
    ['rollback', 'rolled_back', 'METRIC_PROVIDER_BROKEN'],
  ] as const)('with policy %s ends as %s', (policy, outcome, code) => {
    const world = worldWith(
      declared({ trouble: { failures: 3, retryMs: 500, policy } }),
      candidateSays(trouble()),
    )
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe(outcome)
    expect(world.eventsOf('return-started')[0]?.reason.code).toBe(code)
  })

  it('is left alone for as long as it asks, asked soon where it does not, and once broken at the pace of its windows', () => {
    const world = worldWith(
      declared({ trouble: { failures: 6, retryMs: 500, policy: 'hold' } }),
      candidateSays(trouble(20_000)),
    )
    world.passUntil(() => world.eventsOf('metric-sampled').length === 3)
    const times = world.eventsOf('metric-sampled').map(({ at }) => at)
    expect(times.map((at, index) => at - (times[index - 1] ?? at))).toEqual([0, 20_000, 20_000])
    world.setMetricAnswers(candidateSays(trouble()))
    world.passUntil(() => world.eventsOf('metric-sampled').length === 8)
    const after = world.eventsOf('metric-sampled').map(({ at }) => at)
    const gaps = after.map((at, index) => at - (after[index - 1] ?? at))
    expect(gaps.slice(4)).toEqual([500, 500, 2000, 2000])
  })
})
