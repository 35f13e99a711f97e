import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { sharedVectors } from '../../../testkit/vectors.test.kit.ts'
import { classify, JUDGE_LITERALS, type Rules } from './classify.ts'
import { effectOf, NEUTRAL_EFFECT } from './effect.ts'
import { locationShift, QUANTILE_98, rankTest } from './mann-whitney.ts'
import { scoreOf } from './score.ts'
import { ascending, percentile, withoutNan, withoutOutliers } from './series.ts'

// Facts from spinnaker/kayenta (Apache-2.0), its issues and statistics references. Left out are cases marked "do not
// require" (their upstream verdict is solver noise) and cases of parts that Kayenta's judge never uses: its
// MeanInequality classifier, its k-sigma detector and Cohen's d; of the test, exact p-values.

const QUANTILES = new Map([
  [0.95, 1.959963984540054],
  [0.98, QUANTILE_98],
])

const Point = z.union([z.number(), z.literal('NaN').transform(() => Number.NaN)])
const Points = z.array(Point)
const Pair = z.tuple([z.number(), z.number()])
const Label = z.enum(['Pass', 'High', 'Low', 'Nodata'])
const Params = z.object({
  tolerance: z.number(),
  confLevel: z.number(),
  direction: z.enum(['increase', 'decrease', 'either']).default('either'),
  nanStrategy: z.enum(['remove', 'replace']).default('remove'),
  critical: z.boolean().default(false),
  effectSizeMeasure: z.enum(['meanRatio', 'cles']).default('meanRatio'),
  effectSizeThresholds: Pair.optional(),
  criticalThresholds: Pair.optional(),
})
type Params = z.infer<typeof Params>

const Vectors = z.object({
  kayenta_classifier: z.array(
    z.object({
      id: z.string(),
      classifier: z.string(),
      params: z.unknown(),
      control: Points,
      experiment: Points,
      expected: Label.nullable(),
      expected_critical: z.boolean().nullable(),
      caution: z.string().optional(),
    }),
  ),
  kayenta_known_misjudgements: z.array(
    z.object({ id: z.string(), params: Params, control: Points, experiment: Points, kayenta_says: Label }),
  ),
  kayenta_scorer: z.array(
    z.object({
      id: z.string(),
      metrics: z.array(
        z.object({ classification: Label, groups: z.array(z.string()), critical: z.boolean() }),
      ),
      groupWeights: z.record(z.string(), z.number()),
      summaryScore: z.number(),
    }),
  ),
  kayenta_outliers_nan: z.array(
    z.object({
      kind: z.string(),
      data: Points,
      factor: z.number().optional(),
      reduceSensitivity: z.boolean().optional(),
      outliers: Points.optional(),
      result: Points.optional(),
      percentiles: z.record(z.string(), z.number()).optional(),
    }),
  ),
  kayenta_mannwhitney_ci: z.array(
    z.object({
      experiment: Points.optional(),
      control: Points.optional(),
      confLevel: z.number().optional(),
      ci: Pair.optional(),
      estimate: z.number().optional(),
      z: z.number().optional(),
    }),
  ),
  mann_whitney_reference: z.array(
    z.object({
      x: Points,
      y: Points,
      U1: z.number(),
      two_sided_asymptotic_cc_p: z.number().optional(),
      greater_asymptotic_cc_p: z.number().optional(),
    }),
  ),
  effect_size: z.array(z.object({ kind: z.string(), control: Points, experiment: Points, value: Point })),
})

const found = sharedVectors('analysis/kayenta-judge-cases.json')
const vectors = found === null ? null : Vectors.parse(found)

function rulesOf(params: Params): Rules {
  const neutral = NEUTRAL_EFFECT[params.effectSizeMeasure]
  const [allowedDecrease, allowedIncrease] = params.effectSizeThresholds ?? [neutral, neutral]
  const [criticalDecrease, criticalIncrease] = params.criticalThresholds ?? [neutral, neutral]
  return {
    direction: params.direction,
    nanStrategy: params.nanStrategy,
    isCritical: params.critical,
    mustHaveData: false,
    tolerance: params.tolerance,
    quantile: QUANTILES.get(params.confLevel) ?? Number.NaN,
    effect: {
      measure: params.effectSizeMeasure,
      allowedDecrease,
      allowedIncrease,
      criticalDecrease,
      criticalIncrease,
    },
  }
}

describe.skipIf(vectors === null)(
  'the cases of ../shared/vectors (skipped where they do not lie there)',
  () => {
    it.for(
      (vectors?.kayenta_classifier ?? []).filter(
        (one) => one.classifier === 'MannWhitney' && one.caution === undefined,
      ),
    )('classifies: $id', ({ params, control, experiment, expected, expected_critical }) => {
      const result = classify({ control, experiment }, rulesOf(Params.parse(params)))
      if (expected !== null) expect(result.label).toBe(expected)
      expect(result.reason).not.toBe('')
      if (expected_critical !== null) expect(result.critical).toBe(expected_critical)
    })

    it.for(vectors?.kayenta_known_misjudgements ?? [])(
      'is wrong as Kayenta is: $id',
      ({ params, control, experiment, kayenta_says }) => {
        const rules = rulesOf(params)
        expect(rules).toMatchObject(JUDGE_LITERALS)
        expect(classify({ control, experiment }, rules).label).toBe(kayenta_says)
      },
    )

    it.for(vectors?.kayenta_scorer ?? [])('scores: $id', ({ metrics, groupWeights, summaryScore }) => {
      const scored = metrics.map(({ classification, groups, critical }) => ({
        label: classification,
        groups,
        critical,
      }))
      expect(scoreOf(scored, new Map(Object.entries(groupWeights))).total).toBe(summaryScore)
    })

    it.for((vectors?.kayenta_outliers_nan ?? []).filter(({ kind }) => kind === 'iqr'))(
      'finds outliers: $outliers',
      ({ data, factor = 0, reduceSensitivity = false, outliers = [] }) => {
        const kept = withoutOutliers(data, { factor, softened: reduceSensitivity })
        expect(data.filter((point) => !kept.includes(point))).toEqual(outliers)
      },
    )

    it.for((vectors?.kayenta_outliers_nan ?? []).filter(({ kind }) => kind.startsWith('nan-')))(
      '$kind',
      ({ kind, data, result = [] }) => {
        expect(withoutNan(data, kind === 'nan-remove' ? 'remove' : 'replace')).toEqual(result)
      },
    )

    it.for((vectors?.kayenta_outliers_nan ?? []).filter(({ kind }) => kind === 'percentile-R7'))(
      'percentiles: $percentiles',
      ({ data, percentiles = {} }) => {
        for (const [percent, value] of Object.entries(percentiles))
          expect(percentile(ascending(data), Number(percent))).toBeCloseTo(value, 10)
      },
    )

    it.for((vectors?.kayenta_mannwhitney_ci ?? []).filter(({ ci }) => ci !== undefined))(
      'shift: $ci',
      ({ experiment = [], control = [], confLevel = 0, ci, estimate }) => {
        const shift = locationShift(experiment, control, QUANTILES.get(confLevel))
        // Upstream's own error: the absolute tolerance of its root finder.
        const near = (value = Number.NaN, wanted = Number.NaN) =>
          expect(Math.abs(value - wanted)).toBeLessThan(1.01e-4)
        near(shift.lower, ci?.[0])
        near(shift.upper, ci?.[1])
        near(shift.estimate, estimate)
      },
    )

    it('has the quantile of the reference', () => {
      const wanted = vectors?.kayenta_mannwhitney_ci.find(({ z: quantile }) => quantile !== undefined)?.z
      expect(-QUANTILE_98).toBeCloseTo(wanted ?? 0, 6)
    })

    it.for(vectors?.mann_whitney_reference ?? [])('rank test: U $U1', (one) => {
      const test = rankTest(one.x, one.y)
      expect(test.u).toBe(one.U1)
      if (one.two_sided_asymptotic_cc_p !== undefined)
        expect(test.twoSidedP).toBeCloseTo(one.two_sided_asymptotic_cc_p, 12)
      if (one.greater_asymptotic_cc_p !== undefined)
        expect(test.greaterP).toBeCloseTo(one.greater_asymptotic_cc_p, 12)
    })

    it.for((vectors?.effect_size ?? []).filter(({ kind }) => kind === 'meanRatio' || kind === 'cles'))(
      'effect: $kind $value',
      ({ kind, control, experiment, value }) => {
        const effect = effectOf(kind === 'cles' ? 'cles' : 'meanRatio', { control, experiment })
        if (Number.isNaN(value)) expect(effect).toBeNaN()
        else expect(effect).toBeCloseTo(value, 12)
      },
    )
  },
)
