import * as z from 'zod'
import { type Problem, problem } from '../../shared/problem.ts'
import { failed, ok, type Result } from '../../shared/result.ts'
import { DIRECTIONS, JUDGE_LITERALS, type Rules } from './classify.ts'
import { EFFECT_MEASURES, type EffectLimits, NEUTRAL_EFFECT } from './effect.ts'
import { describeIssue } from './issue.ts'
import type { Fences } from './series.ts'

const Percent = z.number().min(0).max(100)

const EffectSize = z.object({
  measure: z.enum(EFFECT_MEASURES).nullish(),
  allowedIncrease: z.number().nullish(),
  allowedDecrease: z.number().nullish(),
  criticalIncrease: z.number().nullish(),
  criticalDecrease: z.number().nullish(),
})

const Analysis = z.object({
  direction: z.enum(DIRECTIONS).nullish(),
  // Any other word means remove, as in Kayenta; a note says so.
  nanStrategy: z.string().nullish(),
  critical: z.boolean().nullish(),
  mustHaveData: z.boolean().nullish(),
  mute: z.boolean().nullish(),
  effectSize: EffectSize.nullish(),
  outliers: z
    .object({ strategy: z.string().optional(), outlierFactor: z.number().positive().optional() })
    .optional(),
})

const Metric = z.object({
  name: z.string().min(1),
  groups: z.array(z.string().min(1)).nullish(),
  analysisConfigurations: z.object({ canary: Analysis.nullish() }).nullish(),
})

/** The part of Kayenta's canary config that its judge reads; absent and null mean the default. Queries, scopes and templates are somebody else's. */
const KayentaFile = z.object({
  judge: z.object({ name: z.string().nullish() }).nullish(),
  metrics: z.array(Metric).min(1),
  classifier: z
    .object({
      groupWeights: z.record(z.string(), Percent).nullish(),
      scoreThresholds: z.object({ pass: Percent, marginal: Percent }).nullish(),
    })
    .nullish(),
})

export type Thresholds = { pass: number; marginal: number }

/** Kayenta's code has no default; these are the values of its shipped example. */
export const EXAMPLE_THRESHOLDS: Thresholds = { pass: 95, marginal: 75 }

export type KayentaMetric = {
  name: string
  groups: readonly string[]
  isMuted: boolean
  /** `null`: outliers stay. */
  fences: Fences | null
  rules: Rules
}

export type KayentaConfig = {
  metrics: readonly KayentaMetric[]
  weights: ReadonlyMap<string, number>
  thresholds: Thresholds
  /** What the reader should know about the config, one sentence each. */
  notes: readonly string[]
}

const JUDGE_NAME = 'NetflixACAJudge'
const DEFAULT_FENCE_FACTOR = 3
/** Sums of weights like 33.4 + 33.3 + 33.3 are not exactly 100. */
const ROUNDING = 1e-9

/** Reads a canary config, or the body of a stand-alone analysis that holds one under `canaryConfig`. */
export function readConfig(input: unknown): Result<KayentaConfig> {
  const parsed = KayentaFile.safeParse(unwrapped(input))
  if (!parsed.success) return failed(invalid(describeIssue(parsed.error, input)))
  const { metrics, classifier, judge } = parsed.data
  const weights = new Map(Object.entries(classifier?.groupWeights ?? {}))
  const wrong =
    doubledName(metrics) ?? heavyWeights(weights) ?? crossedThresholds(classifier?.scoreThresholds)
  if (wrong !== null) return failed(invalid(wrong))
  return ok({
    metrics: metrics.map(metricOf),
    weights,
    thresholds: classifier?.scoreThresholds ?? EXAMPLE_THRESHOLDS,
    notes: [
      ...judgeNote(judge?.name),
      ...thresholdNote(classifier?.scoreThresholds),
      ...weightNotes(weights, metrics),
      ...metrics.flatMap(wordNotes),
    ],
  })
}

function unwrapped(input: unknown): unknown {
  const wrapper = z.object({ canaryConfig: z.unknown() }).safeParse(input)
  return wrapper.success && wrapper.data.canaryConfig !== undefined ? wrapper.data.canaryConfig : input
}

const invalid = (message: string): Problem =>
  problem('KAYENTA_CONFIG_INVALID', {
    message: `The Kayenta config cannot be used: ${message}`,
    remedy: 'Correct the named field; give the file that Kayenta stores as canary config.',
  })

function doubledName(metrics: readonly z.infer<typeof Metric>[]): string | null {
  const names = metrics.map(({ name }) => name)
  const doubled = names.find((name, index) => names.indexOf(name) !== index)
  return doubled === undefined ? null : `metrics: two of them are named "${doubled}".`
}

function heavyWeights(weights: ReadonlyMap<string, number>): string | null {
  const sum = sumOf(weights)
  return sum > 100 + ROUNDING ? `classifier.groupWeights: they add up to ${sum}, more than 100.` : null
}

const sumOf = (weights: ReadonlyMap<string, number>): number =>
  [...weights.values()].reduce((total, weight) => total + weight, 0)

function crossedThresholds(thresholds: Thresholds | null | undefined): string | null {
  if (thresholds === null || thresholds === undefined || thresholds.marginal <= thresholds.pass) return null
  return `classifier.scoreThresholds: marginal ${thresholds.marginal} is above pass ${thresholds.pass}.`
}

function metricOf({ name, groups, analysisConfigurations }: z.infer<typeof Metric>): KayentaMetric {
  const given = analysisConfigurations?.canary ?? {}
  const { outliers } = given
  return {
    name,
    groups: groups ?? [],
    isMuted: given.mute ?? false,
    fences:
      outliers?.strategy === 'remove'
        ? { factor: outliers.outlierFactor ?? DEFAULT_FENCE_FACTOR, softened: true }
        : null,
    rules: {
      ...JUDGE_LITERALS,
      direction: given.direction ?? 'either',
      nanStrategy: given.nanStrategy === 'replace' ? 'replace' : 'remove',
      isCritical: given.critical ?? false,
      mustHaveData: given.mustHaveData ?? false,
      effect: effectOf(given.effectSize ?? {}),
    },
  }
}

function effectOf(given: z.infer<typeof EffectSize>): EffectLimits {
  const measure = given.measure ?? 'meanRatio'
  const neutral = NEUTRAL_EFFECT[measure]
  return {
    measure,
    allowedIncrease: given.allowedIncrease ?? neutral,
    allowedDecrease: given.allowedDecrease ?? neutral,
    criticalIncrease: given.criticalIncrease ?? neutral,
    criticalDecrease: given.criticalDecrease ?? neutral,
  }
}

const judgeNote = (name: string | null | undefined): string[] =>
  name === undefined || name === null || name.startsWith(JUDGE_NAME)
    ? []
    : [`The config names the judge "${name}"; it was judged as by ${JUDGE_NAME}-v1.0.`]

const thresholdNote = (given: Thresholds | null | undefined): string[] =>
  given !== null && given !== undefined
    ? []
    : [
        `The config has no classifier.scoreThresholds; taken are pass ${EXAMPLE_THRESHOLDS.pass} and marginal ${EXAMPLE_THRESHOLDS.marginal} of Kayenta's example.`,
      ]

function weightNotes(
  weights: ReadonlyMap<string, number>,
  metrics: readonly z.infer<typeof Metric>[],
): string[] {
  const used = new Set(metrics.flatMap(({ groups }) => groups ?? []))
  const unused = [...weights.keys()].filter((group) => !used.has(group))
  const sum = sumOf(weights)
  const allWeighted = [...used].every((group) => weights.has(group))
  const short = used.size > 0 && allWeighted && sum < 100 - ROUNDING
  const loose = metrics.filter(({ groups }) => (groups ?? []).length === 0).map(({ name }) => name)
  return [
    ...unused.map((group) => `No metric is in the group "${group}", so its weight is lost to the score.`),
    ...(short ? [`The weights add up to ${sum}, so the score cannot exceed ${sum}.`] : []),
    ...loose.map((name) => `The metric "${name}" is in no group, so the score does not count it.`),
  ]
}

function wordNotes({ name, analysisConfigurations }: z.infer<typeof Metric>): string[] {
  const word = analysisConfigurations?.canary?.nanStrategy
  return word === undefined || word === null || word === 'remove' || word === 'replace'
    ? []
    : [`The metric "${name}" has the nanStrategy "${word}", which Kayenta takes for remove.`]
}
