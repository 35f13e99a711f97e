import { type Problem, problem } from '../../shared/problem.ts'
import { failed, ok, type Result } from '../../shared/result.ts'
import { type Classification, classify, type Label } from './classify.ts'
import { type KayentaConfig, type KayentaMetric, readConfig, type Thresholds } from './config.ts'
import { type MetricPair, readData } from './data.ts'
import { type GroupScore, scoreOf } from './score.ts'
import { mean, withoutNan, withoutOutliers } from './series.ts'

export type KayentaVerdict = 'Pass' | 'Marginal' | 'Fail'

export type KayentaSide = {
  /** Points that were compared: without NaN and outliers. */
  points: number
  /** Points that were taken out. */
  removed: number
  mean: number | null
}

export type KayentaMetricResult = {
  name: string
  groups: readonly string[]
  label: Label
  /** A critical metric that fails like this brings the total to 0. */
  critical: boolean
  reason: string
  control: KayentaSide
  experiment: KayentaSide
  /** The test behind the label; `null` when none was needed. `effect` is `null` when a mean is 0. */
  test: Classification['test']
}

export type KayentaJudgement = {
  judge: 'NetflixACAJudge-v1.0 (compatible)'
  verdict: KayentaVerdict
  /** 0 to 100, rounded to 2 places. */
  score: number
  reason: string
  thresholds: Thresholds
  groups: readonly GroupScore[]
  metrics: readonly KayentaMetricResult[]
  /** What the reader should know about config and data, one sentence each. */
  notes: readonly string[]
}

/**
 * Kayenta's canary judge (NetflixACAJudge-v1.0) for people who come from it: the same config, the same labels and
 * scores. It is the legacy judge here: it sees one point a minute and no counts. Config and data are parsed JSON.
 *
 * Differs in two places, both deterministic: the interval has no root finder (see `locationShift`), and constant sides
 * get no random noise.
 */
export function judgeKayenta(config: unknown, data: unknown): Result<KayentaJudgement> {
  const read = readConfig(config)
  if (read.kind === 'failed') return read
  const pairs = readData(data)
  if (pairs.kind === 'failed') return pairs
  const flaw = mismatch(read.value, pairs.value)
  return flaw === null ? ok(judge(read.value, pairs.value)) : failed(flaw)
}

function mismatch({ metrics }: KayentaConfig, pairs: readonly MetricPair[]): Problem | null {
  const known = new Set(metrics.map(({ name }) => name))
  const given = new Set(pairs.map(({ name }) => name))
  const missing = [...known].find((name) => !given.has(name))
  if (missing !== undefined)
    return problem('KAYENTA_METRIC_MISSING', {
      message: `The data has no metric "${missing}" of the config; it has ${listed(given)}.`,
      remedy:
        'Add it to the data; a metric that was asked for and had no points has two empty lists. Or take it out of the config.',
    })
  const unknown = [...given].find((name) => !known.has(name))
  if (unknown === undefined) return null
  return problem('KAYENTA_METRIC_UNKNOWN', {
    message: `The data has a metric "${unknown}" that the config does not know; it knows ${listed(known)}.`,
    remedy: 'Correct its name, or take it out of the data.',
  })
}

const listed = (names: ReadonlySet<string>): string => [...names].map((name) => `"${name}"`).join(', ')

function judge(config: KayentaConfig, pairs: readonly MetricPair[]): KayentaJudgement {
  const byName = new Map(config.metrics.map((metric) => [metric.name, metric]))
  const metrics = pairs.flatMap((pair) => {
    const metric = byName.get(pair.name)
    return metric === undefined || metric.isMuted ? [] : [resultOf(metric, pair)]
  })
  const score = scoreOf(metrics, config.weights)
  const muted = config.metrics.filter(({ isMuted }) => isMuted).map(({ name }) => name)
  return {
    judge: 'NetflixACAJudge-v1.0 (compatible)',
    verdict: verdictOf(score.total, config.thresholds),
    score: score.total,
    reason: score.reason,
    thresholds: config.thresholds,
    groups: score.groups,
    metrics,
    notes: [...config.notes, ...muted.map((name) => `The metric "${name}" is muted and was not judged.`)],
  }
}

function resultOf({ name, groups, fences, rules }: KayentaMetric, pair: MetricPair): KayentaMetricResult {
  const prepared = (points: readonly number[]): number[] => {
    const values = withoutNan(points, rules.nanStrategy)
    return fences === null ? values : withoutOutliers(values, fences)
  }
  const control = prepared(pair.control)
  const experiment = prepared(pair.experiment)
  return {
    name,
    groups,
    ...classify({ control, experiment }, rules),
    control: sideOf(control, pair.control),
    experiment: sideOf(experiment, pair.experiment),
  }
}

const sideOf = (kept: readonly number[], given: readonly number[]): KayentaSide => ({
  points: kept.length,
  removed: given.length - kept.length,
  mean: kept.length === 0 ? null : mean(kept),
})

function verdictOf(total: number, { pass, marginal }: Thresholds): KayentaVerdict {
  if (total >= pass) return 'Pass'
  return total >= marginal ? 'Marginal' : 'Fail'
}
