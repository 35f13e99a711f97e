import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lackingMetrics } from '../../core/rollout/metrics/metric-lack.ts'
import type { MetricSide } from '../../core/rollout/metrics/metric-state.ts'
import type { MetricDefinition } from '../../core/shared/metric-definition.ts'
import { recordedOf, replayOf, storedEvents, viewOf } from './course.test.kit.ts'
import {
  COVERED,
  candidateSays,
  counts,
  declared,
  healthy,
  isPaused,
  nothing,
  rowOf,
  trouble,
  value,
  worldWith,
} from './metric-world.test.kit.ts'
import { decidedWeights, NEW, stage, waitingOn } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import { type AnswerMetric, createWorld, isOver, stepKind, type World } from './world.ts'

describe('a declared metric that is critical', () => {
  it('rolls back a candidate whose requests all succeed, in the decision that heard of it, and names itself', () => {
    const world = worldWith(declared(), candidateSays(counts(60, 1000)))
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(Math.max(...decidedWeights(world))).toBe(50)
    const [back] = world.eventsOf('return-started')
    expect(back?.reason).toMatchObject({
      code: 'CHECK_CRITICAL',
      evidence: { check: 'payment-failures', tier: 'critical', requests: 1000 },
    })
    expect(back?.reason.message).toContain(
      'payment-failures: candidate 6.0% (60 of 1,000), stable 0.10% (1 of 1,000) in 1 window, limit stable + 0.1 points',
    )
    expect(back?.reason.message).toContain('last asked over 2s: count bad things')
    expect(back?.at).toBe(world.eventsOf('metric-sampled').at(-1)?.at)
    expect(rowOf(world)).toMatchObject({ tier: 'critical', verdict: 'worse', samples: 1000 })
  })

  it('and like stable lets the rollout through, with windows end to end, in one stage each and after its warm-up', () => {
    const world = worldWith(declared(), healthy)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    const windows = world.eventsOf('metric-sampled').map(({ sample }) => sample.window)
    const stages = world.eventsOf('step-started').filter(({ index }) => index % 2 === 0)
    expect(windows.length).toBeGreaterThan(6)
    for (const [index, { fromMs, toMs }] of windows.entries()) {
      expect(fromMs).toBeGreaterThanOrEqual(windows[index - 1]?.toMs ?? 0)
      expect(stages.some(({ at }) => at > fromMs && at < toMs)).toBe(false)
    }
    expect(rowOf(world)?.verdict).not.toBe('worse')
  })

  it('is judged again bit for bit from the journal', () => {
    const world = worldWith(declared(), candidateSays(counts(60, 1000)))
    world.passUntil(isOver)
    expect(replayOf(storedEvents(world), recordedOf(world))).toMatchObject({ isEqual: true, differences: [] })
  })

  it('keeps its evidence when the controller dies (S62)', () => {
    const world = worldWith(declared(), healthy)
    world.passUntil(() => world.eventsOf('metric-sampled').length === 2)
    const before = world.state().rollout?.metrics
    world.restartController(3000)
    expect(world.state().rollout?.metrics).toEqual(before)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('whose numbers arrive late is waited for, although all else is done (S59)', () => {
    const world = worldWith(declared({ delayMs: 15_000 }), healthy)
    world.passUntil((state) => stepKind(state) === 'observe')
    world.pass(12_000)
    expect(waitingOn(world)).toMatchObject({ kind: 'data', who: 'command' })
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(world.eventsOf('metric-sampled')).toHaveLength(3)
  })

  it('whose answers never come holds the stage, and delays neither looks nor the rollback for a crash', () => {
    const world = worldWith(declared(), () => null)
    world.passUntil((state) => stepKind(state) === 'observe')
    world.pass(60_000)
    expect(world.weightOf(NEW)).toBe(50)
    expect(waitingOn(world)).toMatchObject({
      kind: 'data',
      who: 'command',
      message: expect.stringContaining('metric payment-failures was not measured at this weight yet (for 1m'),
    })
    world.target.crash(`${NEW}-r`)
    world.pass(1000)
    expect(world.eventsOf('return-started')).toHaveLength(1)
  })
})

describe('a declared metric of another tier', () => {
  it('pauses once as a warning, and not again after somebody let it pass', () => {
    const world = worldWith(declared({ tier: 'warning' }), candidateSays(counts(60, 1000)))
    world.passUntil(() => isPaused(world))
    expect(world.eventsOf('rollout-paused')[0]).toMatchObject({
      checks: ['payment-failures'],
      reason: { code: 'CHECK_WARNING' },
    })
    world.byHand('resume')
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(world.eventsOf('rollout-paused')).toHaveLength(1)
  })

  it('is only shown where it reports, a dry run (S61)', () => {
    const world = worldWith(declared({ tier: 'report' }), candidateSays(counts(60, 1000)))
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    expect(rowOf(world)).toMatchObject({ tier: 'report', verdict: 'worse' })
  })

  it('does not hold a stage without data as a warning', () => {
    const world = worldWith(declared({ tier: 'warning' }), candidateSays(nothing))
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })
})

describe('a declared metric of another kind', () => {
  const comparison = { tolerance: { ratio: 1, points: 0.1 }, notice: { points: 1 } }
  const sideOf = (side: Extract<MetricSide, { kind: 'counts' }>['side']): MetricSide => ({
    kind: 'counts',
    side,
    covered: COVERED,
    asked: ['q'],
  })
  it.each([
    [
      'counts of buckets',
      { kind: 'histogram', bounds: [0.1, 1], ...comparison },
      [{ counts: [500, 400, 100] }, { counts: [900, 95, 5] }],
      'queue: candidate 50.0% above 0.1 (500 of 1,000), stable 10.0% above 0.1 (100 of 1,000)',
    ],
    [
      'events of an exposure',
      { kind: 'rate', direction: 'more-is-worse', ...comparison },
      [
        { events: 40, exposure: 1000 },
        { events: 1, exposure: 1000 },
      ],
      'queue: candidate 4 per 100 (40 in 1,000), stable 0.1 per 100 (1 in 1,000)',
    ],
    [
      'a share that falls',
      { kind: 'ratio', direction: 'less-is-worse', ...comparison },
      [
        { bad: 40, total: 1000 },
        { bad: 120, total: 1000 },
      ],
      'limit stable - 0.1 points',
    ],
  ] as const)('%s is judged by the same test', (_name, measure, [ours, theirs], said) => {
    const metric = declared({
      name: 'queue',
      measure: structuredClone(measure) as MetricDefinition['measure'],
    })
    const [candidate, stable] = [ours, theirs].map((one) => sideOf(structuredClone(one) as never))
    const world = worldWith(metric, (_, version) => (version === NEW ? candidate : stable) ?? null)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.eventsOf('return-started')[0]?.reason.message).toContain(said)
  })
})

it('whatever providers say, no stage ends while a critical metric is lacking that is not to be ignored', () => {
  const side = fc.oneof(
    fc.constant(nothing),
    fc.constant(trouble()),
    fc.constant(counts(0, 0)),
    fc.integer({ min: 0, max: 5 }).map((bad) => counts(bad, 1000)),
  )
  const policy = fc.constantFrom('hold' as const, 'ignore' as const, 'rollback' as const)
  const metric = fc.tuple(policy, policy).map(([empty, broken]) =>
    declared({
      noData: { afterMs: 6000, policy: empty },
      trouble: { failures: 3, retryMs: 500, policy: broken },
    }),
  )
  fc.assert(
    fc.property(metric, fc.array(side, { minLength: 1, maxLength: 12 }), (of, sides) => {
      let turn = 0
      const world = worldWith(of, (_, version) =>
        version === NEW ? (sides[turn++ % sides.length] ?? nothing) : counts(1, 1000),
      )
      for (let looks = 0; looks < 80 && !isOver(world.state()); looks += 1) {
        const before = world.state()
        const lacking = before.rollout === null ? [] : lackingMetrics(before.rollout, world.now())
        const told = world.events().length
        world.pass(500)
        const since = world.events().slice(told)
        const measured = since.findIndex(({ kind }) => kind === 'metric-sampled')
        const ended = since.findIndex(({ kind }) => kind === 'step-finished')
        if (lacking.length > 0 && ended >= 0) expect(measured >= 0 && measured < ended).toBe(true)
      }
    }),
    { numRuns: 10 },
  )
})

describe('a declared value', () => {
  const revenue = (
    of: { warningPercent: number; criticalPercent: number | null },
    tier: 'critical' | 'warning',
  ) => declared({ name: 'revenue', tier, measure: { kind: 'value', direction: 'less-is-worse', ...of } })
  const falls: AnswerMetric = (_, version) => value(version === NEW ? 80 : 100)

  it('that falls by a fifth pauses where a tenth warns', () => {
    const world = worldWith(revenue({ warningPercent: 10, criticalPercent: null }, 'warning'), falls)
    world.passUntil(() => isPaused(world))
    expect(viewOf(world).reason.message).toContain('the candidate is 20% below stable (warning 10%)')
    expect(rowOf(world, 'revenue')).toMatchObject({ verdict: 'warning', candidate: '80', stable: '100' })
  })

  it('pauses once three of its last five windows were bad, and not for two of them', () => {
    const measure = {
      ...{ kind: 'value' as const, direction: 'less-is-worse' as const, warningPercent: 10 },
      ...{ criticalPercent: null, failureLimit: { limit: 3, of: 5 } },
    }
    const metric = declared({ name: 'revenue', measure })
    const windows = (bad: readonly boolean[]): AnswerMetric => {
      let asked = 0
      return (_, version) => value(version === NEW && bad[asked++ % bad.length] === true ? 80 : 100)
    }
    const seldom = worldWith(metric, windows([true, false, true, false, false]))
    seldom.passUntil(isOver)
    expect(seldom.outcomes().at(-1)).toBe('promoted')
    expect(seldom.eventsOf('rollout-paused')).toEqual([])
    const often = worldWith(metric, windows([true, false, true]))
    often.passUntil(() => isPaused(often))
    expect(viewOf(often).reason.message).toContain(
      '; 3 of the last 4 windows were beyond a limit, and 3 of 5 count; one number has no statistics behind it',
    )
  })

  it('rolls back where the file says how far is too far', () => {
    const world = worldWith(revenue({ warningPercent: 5, criticalPercent: 15 }, 'critical'), falls)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
  })
})

describe('an answer about a metric', () => {
  const stale = { window: { fromMs: 0, toMs: 1 }, candidate: counts(900, 1000), stable: counts(0, 1000) }
  const say = (world: World, of: { underEpoch?: number; rollout?: string; metric?: string } = {}) =>
    world.send({
      kind: 'metric-sampled',
      underEpoch: of.underEpoch ?? world.state().epoch,
      rollout: of.rollout ?? world.state().rollout?.id ?? '',
      metric: of.metric ?? 'payment-failures',
      sample: stale,
    })

  it.each([
    ['asked under an earlier epoch', { underEpoch: 0 }],
    ['of another rollout', { rollout: 'rollout-0' }],
    ['about a metric that is not declared', { metric: 'other' }],
    ['about a time that was answered for', {}],
  ])('%s changes nothing', (_name, of) => {
    const world = worldWith(declared(), healthy)
    world.passUntil(() => world.eventsOf('metric-sampled').length === 1)
    const before = world.events().length
    expect(say(world, of)).toEqual({ kind: 'ok', value: [] })
    expect(world.events()).toHaveLength(before)
  })
})

it('a stage at 100% asks nothing: there is no version beside it', () => {
  const metric = declared()
  const settings = simulatedSettings({
    analysis: { metrics: [metric] },
    strategy: { steps: [stage(1000, 20_000)] },
  })
  const world = createWorld({ settings })
  world.setMetricAnswers(candidateSays(nothing))
  world.withStable()
  world.deploy(NEW)
  world.passUntil(isOver)
  expect(world.outcomes().at(-1)).toBe('promoted')
  expect(world.eventsOf('metric-sampled')).toEqual([])
})
