import { describe, expect, it } from 'vitest'
import { valueChart } from '../../core/analysis/evidence/value-chart.ts'
import type { MetricSide } from '../../core/rollout/metrics/metric-state.ts'
import type { MetricMeasure } from '../../core/shared/metric-definition.ts'
import { evidenceOf } from './course.test.kit.ts'
import {
  COVERED,
  counts,
  declared,
  isPaused,
  nothing,
  trouble,
  value,
  worldWith,
} from './metric-world.test.kit.ts'
import { NEW } from './scene.ts'
import { type AnswerMetric, isOver, type World } from './world.ts'

const COMPARED = { tolerance: { ratio: 1, points: 0.1 }, notice: { points: 1 } }
const MEASURES = {
  ratio: { kind: 'ratio', direction: 'more-is-worse', ...COMPARED },
  rate: { kind: 'rate', direction: 'less-is-worse', ...COMPARED },
  histogram: { kind: 'histogram', bounds: [0.1, 0.5], ...COMPARED },
} satisfies Record<string, MetricMeasure>
const side = (of: Extract<MetricSide, { kind: 'counts' }>['side']): MetricSide => ({
  kind: 'counts',
  side: of,
  covered: COVERED,
  asked: ['how many'],
})

/** Runs to its end; what is paused is resumed. */
function through(world: World): World {
  for (let looks = 0; !isOver(world.state()) && looks < 400; looks += 1) {
    world.pass(1000)
    if (isPaused(world)) world.byHand('resume')
  }
  return world
}
const evidenceIn = (world: World) => {
  const evidence = evidenceOf(world)
  const [check] = evidence.checks.filter(({ about }) => about === 'declared')
  if (check === undefined) throw new Error('no declared metric has evidence')
  return { evidence, check, state: world.state().rollout?.metrics[0] }
}
const told =
  (ofCandidate: (window: number) => MetricSide, ofStable: MetricSide): AnswerMetric =>
  ({ fromMs }, version) =>
    version === NEW ? ofCandidate(fromMs) : ofStable

describe('the evidence of a declared metric', () => {
  it.each([
    [
      'ratio',
      side({ bad: 60, total: 1000 }),
      side({ bad: 1, total: 1000 }),
      'payment-failures of total',
      'more',
    ],
    [
      'rate',
      side({ events: 100, exposure: 1000 }),
      side({ events: 600, exposure: 1000 }),
      'payment-failures per 100',
      'less',
    ],
    [
      'histogram',
      side({ counts: [10, 20, 970] }),
      side({ counts: [900, 90, 10] }),
      'payment-failures above 0.5',
      'more',
    ],
  ] as const)(
    'of kind %s has counts, crossing, chance, bounds and the question',
    (kind, bad, good, counted, harm) => {
      const world = through(
        worldWith(
          declared({ measure: MEASURES[kind] }),
          told(() => bad, good),
        ),
      )
      expect(world.outcomes().at(-1)).toBe('rolled_back')
      const { check, state } = evidenceIn(world)
      expect(check).toMatchObject({
        name: 'payment-failures',
        tier: 'critical',
        verdict: 'worse',
        counted,
        harm,
        unit: kind === 'rate' ? 'per-100' : 'percent',
        crossedAtBatch: 1,
        looks: 1,
        peakLogE: state?.sequential?.peak,
        crossedAt: state?.crossedAt,
        dispersion: { evidence: 'full' },
        asking: { provider: 'command', asked: ['how many'], counted: 1, empty: 0, failed: 0 },
      })
      expect(check.threshold).toBeGreaterThan(0)
      expect(check.oneIn).toBeGreaterThan(100)
      expect(check.pValue).toBeLessThan(0.01)
      expect(check.atLeast.points).toBeGreaterThan(1)
      expect(check.asking?.window).toEqual(state?.last?.window)
      if (kind === 'histogram') expect(check.passing).toBeNull()
      else expect(check.passing).toBeGreaterThan(0)
      expect(check.points.at(-1)?.logE).toBe(check.peakLogE)
    },
  )

  it('crosses with the window in which it was found, and the curve ends where the state ended', () => {
    let window = 0
    const world = worldWith(declared({ tier: 'warning' }), (_, version) => {
      if (version === NEW) window += 1
      return version === NEW ? counts(window < 4 ? 1 : 12, 1000) : counts(1, 1000)
    })
    const { check, state, evidence } = evidenceIn(through(world))
    expect(check.verdict).toBe('worse')
    expect(check.crossedAtBatch).toBeGreaterThan(3)
    expect(check.points[(check.crossedAtBatch ?? 0) - 1]?.at).toBe(state?.crossedAt)
    expect(check.candidate.total).toBe(1000 * check.looks)
    expect(Math.max(...check.points.map(({ logE }) => logE))).toBe(check.peakLogE)
    expect(evidence.checks[0]?.name).toBe('payment-failures')
  })

  it('of a good one says what is still needed, what would not have been noticed, and which windows were empty or failed', () => {
    let asked = 0
    const metric = declared({ noData: { afterMs: 60_000, policy: 'hold' } })
    const world = worldWith(metric, (_, version) => {
      if (version === NEW) asked += 1
      if (version === NEW && asked === 2) return nothing
      return version === NEW && asked === 3 ? trouble() : counts(1, 100)
    })
    const { check, evidence } = evidenceIn(through(world))
    expect(['watching', 'not-worse']).toContain(check.verdict)
    expect(check.crossedAt).toBeNull()
    expect(check.needed.what).toBe('one that is 1 point worse than stable')
    expect(check.leastNoticed?.requests).toBe(100 * check.looks)
    expect(check.asking).toMatchObject({ counted: check.looks, empty: 1, failed: 1 })
    expect(evidence.unseen.join(' ')).toMatch(
      /payment-failures: a rise of less than about [\d.]+ points would not have been noticed with [\d,]+ counted/,
    )
    expect(evidence.unseen.join(' ')).not.toContain('No chart')
  })

  it('that was never measured is there all the same', () => {
    const world = worldWith(declared({ tier: 'report' }), () => nothing)
    const { check } = evidenceIn(through(world))
    expect(check).toMatchObject({ verdict: 'no-data', looks: 0, points: [], passing: null, crossedAt: null })
    expect(check.asking?.empty).toBeGreaterThan(0)
  })
})

describe('a declared metric that is one number', () => {
  const measure: MetricMeasure = {
    kind: 'value',
    direction: 'less-is-worse',
    warningPercent: 10,
    criticalPercent: 50,
  }

  it('has both curves, its limits and when they were reached, and says that it has no evidence', () => {
    let window = 0
    const world = worldWith(declared({ measure }), (_, version) => {
      if (version === NEW) window += 1
      return value(version === NEW ? (window < 3 ? 100 : window < 5 ? 80 : 40) : 100)
    })
    const evidence = evidenceOf(through(world))
    expect(evidence.checks.some(({ about }) => about === 'declared')).toBe(false)
    const [of] = evidence.values
    if (of === undefined) throw new Error('there is no value')
    expect(of).toMatchObject({
      verdict: 'critical',
      warningPercent: 10,
      criticalPercent: 50,
      warnedAt: { window: 3 },
      criticalAt: { window: 5 },
      passing: { least: 90, most: null },
      windows: 5,
      asking: { counted: 5 },
    })
    expect(of.sentence).toContain('one number has no statistics behind it')
    expect(of.points.map(({ candidate, percent }) => [candidate, percent])).toEqual([
      [100, 0],
      [100, 0],
      [80, -20],
      [80, -20],
      [40, -60],
    ])
    const chart = valueChart(of, { width: 400, candidate: '1.1.0', stable: '1.0.0' })
    expect(chart.attributes['aria-label']).toBe(
      'payment-failures: critical. After 5 windows 1.1.0 40, 1.0.0 100: 60% below stable; limits: warning 10%, critical 50%.',
    )
  })

  it('has none where stable is at zero, and nothing where nobody answers', () => {
    const zero = evidenceOf(through(worldWith(declared({ measure }), () => value(0)))).values[0]
    expect(zero).toMatchObject({ verdict: 'ok', warnedAt: null, criticalAt: null, passing: null })
    expect(zero?.points[0]).toMatchObject({ percent: null })
    const silent = evidenceOf(through(worldWith(declared({ measure, tier: 'warning' }), () => trouble())))
    expect(silent.values[0]).toMatchObject({ verdict: 'provider-broken', points: [], windows: 0 })
    expect(silent.values[0]?.asking.failed).toBeGreaterThan(1)
  })
})
