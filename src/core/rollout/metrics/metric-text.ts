import { alphaOfMetric } from '../../analysis/check.ts'
import { percent } from '../../analysis/criteria.ts'
import { deviationOf } from '../../analysis/deviation.ts'
import { type Side, sizeOf } from '../../analysis/sequential/batch.ts'
import { representativeBound, requestsNeeded } from '../../analysis/sequential/growth.ts'
import type { Metric } from '../../analysis/sequential/metric.ts'
import { countsOf, directionsOf } from '../../analysis/sequential/question.ts'
import { logEvidences, type Standing } from '../../analysis/sequential/state.ts'
import { formatDuration } from '../../shared/duration.ts'
import type { MetricDefinition, MetricMeasure } from '../../shared/metric-definition.ts'
import type { RolloutState } from '../state.ts'
import type { CheckView } from '../view/view.ts'
import {
  comparedOf,
  type MetricDispersion,
  metricDispersion,
  metricStateOf,
  standingOfMetric,
} from './metric-count.ts'
import { hurtOf } from './metric-lack.ts'
import type { MetricSide, MetricState } from './metric-state.ts'
import { failuresText } from './value-level.ts'

const LONGEST_QUERY = 300

type Told = Pick<CheckView, 'candidate' | 'stable' | 'threshold' | 'samples' | 'sentence' | 'evidence'>

/** A declared metric in words: both sides, the limit, and one sentence with the question that was asked. */
export function describeMetric(rollout: RolloutState, metric: MetricDefinition): Told {
  const state = metricStateOf(rollout, metric.name)
  const { analysis } = rollout.settings
  const standing = standingOfMetric(analysis, metric, state)
  const { measure } = metric
  const shown =
    standing === null || measure.kind === 'value'
      ? valuesShown(measure, state)
      : countsShown(rollout, metric, { state, standing })
  const trouble = troubleText(metric, state)
  const sentence = `${metric.name}: ${[...(trouble === null ? [] : [trouble]), shown.sentence].join('; ')}${askedText(state)}`
  return {
    ...shown,
    sentence,
    ...(standing === null
      ? {}
      : {
          evidence: {
            logE: state.sequential?.peak ?? 0,
            threshold: standing.threshold,
            crossedAt: state.crossedAt,
          },
        }),
  }
}

function troubleText(metric: MetricDefinition, state: MetricState): string | null {
  const { failures } = state
  if (failures !== null) {
    const times = failures.count === 1 ? 'once' : `${failures.count} times in a row`
    const broken = hurtOf(metric, state) === null ? '' : `, policy ${metric.trouble.policy}`
    return `its provider failed ${times}${broken}, which says nothing about the candidate (${trimmed(failures.problem.message)})`
  }
  const empty = [state.last?.candidate, state.last?.stable].find((side) => side?.kind === 'no-data')
  if (empty?.kind !== 'no-data') return null
  const over = hurtOf(metric, state) === null ? '' : `, policy ${metric.noData.policy}`
  return `no data${over} (${trimmed(empty.reason)})`
}

const trimmed = (text: string): string => text.replace(/\.$/, '')

/** The last question, and over what time. */
function askedText({ last }: MetricState): string {
  if (last === null) return ''
  const { fromMs, toMs } = last.window
  const query = last.candidate.asked.join(' | ')
  const short = query.length > LONGEST_QUERY ? `${query.slice(0, LONGEST_QUERY)}...` : query
  return `; last asked over ${formatDuration(Math.max(0, Math.round(toMs - fromMs)))}: ${short}`
}

type Shown = Omit<Told, 'evidence'>
type Counted = { state: MetricState; standing: Standing }

function countsShown(rollout: RolloutState, metric: MetricDefinition, { state, standing }: Counted): Shown {
  const dispersion = metricDispersion(rollout, metric, state.last?.window.toMs ?? rollout.startedAt)
  const compared = comparedOf(metric, dispersion.phi)
  const counted = state.sequential?.counted ?? null
  if (compared === null) throw new TypeError(`${metric.name} is a value`)
  const threshold = thresholdText(compared)
  if (counted === null)
    return {
      candidate: 'nothing',
      stable: 'nothing',
      threshold,
      samples: 0,
      sentence: 'nothing was counted yet',
    }
  const bound = boundShown(compared, state)
  const candidate = sideText(compared, counted.candidate, bound)
  const stable = sideText(compared, counted.stable, bound)
  const windows = `${state.sequential?.batches ?? 0} ${state.sequential?.batches === 1 ? 'window' : 'windows'}`
  const budget = {
    alpha: alphaOfMetric(rollout.settings.analysis, metric),
    beta: rollout.settings.analysis.alpha,
  }
  return {
    candidate,
    stable,
    threshold,
    samples: Math.round(sizeOf(counted.candidate)),
    sentence: `candidate ${candidate}, stable ${stable} in ${windows}${verdictText(compared, { state, standing }, budget)}${dispersionText(dispersion)}`,
  }
}

type Budget = { alpha: number; beta: number }

function verdictText(metric: Metric, { state, standing }: Counted, budget: Budget): string {
  const limit = thresholdText(metric)
  switch (standing.verdict) {
    case 'worse': {
      const oneIn = Math.floor(Math.min(1e9, Math.exp(state.sequential?.peak ?? 0) / directionsOf(metric)))
      return `, limit ${limit}; fewer than 1 in ${oneIn.toLocaleString('en-US')} healthy rollouts would look this bad`
    }
    case 'not-worse':
      return `; that it is ${pointsText(metric, metric.notice.points)} worse is ruled out`
    case 'watching':
      return `; limit ${limit} is not shown to be broken${neededText(metric, state, budget)}`
    case 'no-data':
      return '; no window has both versions, so there is nothing to compare'
  }
}

function neededText(metric: Metric, { sequential }: MetricState, budget: Budget): string {
  const toNotice = sequential === null ? null : requestsNeeded(metric, sequential, budget).toNotice
  if (toNotice === null || toNotice === 0) return ''
  return `; about ${toNotice.toLocaleString('en-US')} more of the candidate would show one that is ${pointsText(metric, metric.notice.points)} worse`
}

function dispersionText({ phi, evidence }: MetricDispersion): string {
  if (evidence === 'unknown')
    return '; the counts are taken as independent, since how much they vary by themselves is not known'
  return phi === 1 ? '' : `; the evidence is divided by ${Number(phi.toPrecision(2))}`
}

/** The bucket bound with the strongest evidence, once there is any; before that the one in stable's tail. */
function boundShown(metric: Metric, { sequential, crossedAt }: MetricState): number {
  if (metric.kind !== 'histogram' || sequential?.counted == null) return 0
  const evidences = logEvidences(sequential.worse, metric.bounds.length)
  if (crossedAt !== null) return evidences.indexOf(Math.max(...evidences))
  const shares = countsOf(metric, sequential.counted.stable).map(({ bad, total }) =>
    total === 0 ? 0 : bad / total,
  )
  return representativeBound(shares)
}

function sideText(metric: Metric, side: Side, bound: number): string {
  const { bad = 0, total = 0 } = countsOf(metric, side)[bound] ?? {}
  if (total === 0) return 'nothing'
  const [some, all] = [bad, total].map((count) => ONE_DECIMAL.format(count))
  switch (metric.kind) {
    case 'ratio':
      return `${percent((100 * bad) / total)} (${some} of ${all})`
    case 'rate':
      return `${numberText((100 * bad) / total)} per 100 (${some} in ${all})`
    case 'histogram':
      return `${percent((100 * bad) / total)} above ${metric.bounds[bound]} (${some} of ${all})`
  }
}

function thresholdText(metric: Metric): string {
  const { ratio, points } = metric.tolerance
  const stable = ratio === 1 ? 'stable' : `${numberText(ratio)}x stable`
  const isLess = metric.kind !== 'histogram' && metric.direction === 'less-is-worse'
  const sign = metric.kind !== 'histogram' && metric.direction === 'either' ? '±' : isLess ? '-' : '+'
  return `${stable} ${sign} ${pointsText(metric, points)}`
}

/** `1 point`, `3 per 100`. */
export const pointsText = (metric: Metric, points: number): string =>
  metric.kind === 'rate'
    ? `${numberText(points)} per 100`
    : `${numberText(points)} ${points === 1 ? 'point' : 'points'}`

/** Made once: a format is dearer than all else that is said about a metric. */
const FOUR_DIGITS = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 })
const ONE_DECIMAL = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })

const numberText = (value: number): string => FOUR_DIGITS.format(value)

function valuesShown(measure: MetricMeasure, { last, levels }: MetricState): Shown {
  if (measure.kind !== 'value') throw new TypeError('a count is no value')
  const { warningPercent, criticalPercent } = measure
  const critical = criticalPercent === null ? '' : `, critical ${criticalPercent}%`
  const shown = {
    candidate: valueText(last?.candidate),
    stable: valueText(last?.stable),
    threshold: `warning ${warningPercent}%${critical}`,
    samples: 0,
  }
  if (last?.candidate.kind !== 'value' || last.stable.kind !== 'value')
    return { ...shown, sentence: 'there are no values of both versions' }
  const deviation = deviationOf({ candidate: last.candidate.value, stable: last.stable.value }, measure)
  const distance =
    deviation.kind === 'stable-is-zero'
      ? 'stable is at zero, and nothing can be a share of that'
      : `the candidate is ${distanceText(deviation.percent)} stable (${shown.threshold})`
  return {
    ...shown,
    samples: 1,
    sentence: `candidate ${shown.candidate}, stable ${shown.stable}; ${distance}${failuresText(measure, { levels })}; one number has no statistics behind it`,
  }
}

const valueText = (side: MetricSide | undefined): string =>
  side?.kind === 'value' ? numberText(side.value) : 'nothing'

const distanceText = (off: number): string =>
  off === 0 ? 'like' : `${numberText(Math.abs(off))}% ${off > 0 ? 'above' : 'below'}`
