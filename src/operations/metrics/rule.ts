import { type Deviation, deviationOf } from '../../core/analysis/deviation.ts'
import type { FailureLimit } from '../../core/analysis/persistence.ts'
import type { Batch, Side } from '../../core/analysis/sequential/batch.ts'
import { explainJudgement } from '../../core/analysis/sequential/explain.ts'
import { type Budget, judgeMetric } from '../../core/analysis/sequential/judge.ts'
import { comparedOf } from '../../core/rollout/metrics/metric-count.ts'
import { failureLimitOf } from '../../core/rollout/metrics/value-level.ts'
import type { MetricDefinition, MetricMeasure } from '../../core/shared/metric-definition.ts'
import type { MetricSample } from '../../core/shared/metric-sample.ts'
import type { MetricReading } from '../../ports/metric.ts'

/** What the rule of a metric says about one window. */
export type RuleAnswer = {
  verdict: 'worse' | 'not-worse' | 'watching' | 'no-data' | 'provider-broken'
  sentence: string
}

type Sides = { candidate: MetricReading | null; stable: MetricReading | null }

export function ruleAnswer(
  metric: MetricDefinition,
  { candidate, stable }: Sides,
  budget: Budget,
): RuleAnswer {
  const asked = [candidate, stable].filter((reading) => reading !== null)
  const broken = asked.find((reading) => reading.kind === 'failure')
  if (broken !== undefined)
    return { verdict: 'provider-broken', sentence: 'The provider did not answer the question.' }
  const empty = asked.find((reading) => reading.kind === 'no-data')
  if (empty !== undefined) return { verdict: 'no-data', sentence: empty.reason }
  if (candidate?.kind !== 'sample' || stable?.kind !== 'sample')
    return {
      verdict: 'watching',
      sentence: 'Only one version was asked for, so there is nothing to compare.',
    }
  const { measure } = metric
  return measure.kind === 'value'
    ? valueAnswer(measure, candidate.sample, stable.sample)
    : countAnswer(metric, { candidate: candidate.sample, stable: stable.sample }, budget)
}

type Samples = { candidate: MetricSample; stable: MetricSample }

function countAnswer(metric: MetricDefinition, { candidate, stable }: Samples, budget: Budget): RuleAnswer {
  const batch: Batch = { candidate: sideOf(candidate), stable: sideOf(stable) }
  const compared = comparedOf(metric)
  if (compared === null) throw new Error('a value is no count')
  const judgement = judgeMetric(compared, [batch], budget)
  return { verdict: judgement.standing.verdict, sentence: explainJudgement(judgement) }
}

function sideOf(sample: MetricSample): Side {
  switch (sample.kind) {
    case 'ratio':
      return { bad: sample.bad, total: sample.total }
    case 'rate':
      return { events: sample.events, exposure: sample.exposure }
    case 'histogram':
      return { counts: sample.counts }
    case 'value':
      throw new Error('a value is no count')
  }
}

function valueAnswer(
  measure: Extract<MetricMeasure, { kind: 'value' }>,
  candidate: MetricSample,
  stable: MetricSample,
): RuleAnswer {
  if (candidate.kind !== 'value' || stable.kind !== 'value') throw new Error('a count is no value')
  const deviation = deviationOf({ candidate: candidate.value, stable: stable.value }, measure)
  if (deviation.kind === 'stable-is-zero')
    return { verdict: 'watching', sentence: 'Stable is at zero, and nothing can be a share of that.' }
  return {
    verdict: deviation.level === 'ok' ? 'not-worse' : 'worse',
    sentence: `${distanceText(deviation)} stable; ${limitText(deviation, measure)}. One number has no statistics behind it: this is advisory${windowsText(failureLimitOf(measure))}.`,
  }
}

const windowsText = ({ limit, of }: FailureLimit): string =>
  of === 1 ? '' : `, and a rollout acts on ${limit} of the last ${of} windows`

type Measured = Extract<Deviation, { kind: 'measured' }>

function distanceText({ percent }: Measured): string {
  const size = `${Math.abs(percent).toLocaleString('en-US', { maximumFractionDigits: 2 })}%`
  return percent === 0
    ? 'The candidate is like'
    : `The candidate is ${size} ${percent > 0 ? 'above' : 'below'}`
}

function limitText(
  { level }: Measured,
  { warningPercent, criticalPercent }: Extract<MetricMeasure, { kind: 'value' }>,
): string {
  switch (level) {
    case 'ok':
      return `a warning begins at ${warningPercent}%`
    case 'warning':
      return `that is a warning, which begins at ${warningPercent}%`
    case 'critical':
      return `that is critical, which begins at ${criticalPercent}%`
  }
}
