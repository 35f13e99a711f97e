import type { Side } from './batch.ts'
import { representativeBound, requestsNeeded } from './growth.ts'
import type { Judgement } from './judge.ts'
import type { Metric } from './metric.ts'
import { countsOf, directionsOf } from './question.ts'
import { logEvidences } from './state.ts'

/** No figure of confidence beyond this: the model itself is not that sure. */
const MOST_ONE_IN = 1_000_000_000

/** What a person can check: the counts of both sides, the verdict, and what would change it. */
export function explainJudgement(judgement: Judgement): string {
  const { metric, state, standing } = judgement
  if (state.counted === null) return `${metric.name}: no batch was given.`
  const { candidate, stable } = state.counted
  const shown = { candidate: sideText(judgement, candidate), stable: sideText(judgement, stable) }
  const counts = `${metric.name}: candidate ${shown.candidate}, stable ${shown.stable}`
  switch (standing.verdict) {
    case 'no-data':
      return `${counts}. No batch has both versions, so there is nothing to compare.`
    case 'worse':
      return `${counts}${atLeast(judgement)}. ${oneIn(judgement)} It was shown with batch ${judgement.crossedAtBatch} of ${state.batches}.${passing(judgement)}${dividedBy(judgement)}`
    case 'not-worse':
      return `${counts}. ${ruledOut(judgement)}${dividedBy(judgement)}`
    case 'watching':
      return `${counts}. That does not decide it.${needed(judgement)}${passing(judgement)}${dividedBy(judgement)}`
  }
}

function sideText(judgement: Judgement, side: Side): string {
  const { metric } = judgement
  const index = shownBound(judgement)
  const { bad = 0, total = 0 } = countsOf(metric, side)[index] ?? {}
  if (total === 0) return metric.kind === 'rate' ? 'had no exposure' : 'had no requests'
  const share = shareText(metric, bad / total)
  const ofAll = `${count(bad)} of ${count(total)}`
  switch (metric.kind) {
    case 'ratio':
      return `${share} (${ofAll})`
    case 'rate':
      return `${share} (${count(bad)} in ${count(total)})`
    case 'histogram':
      return `${share} above ${metric.bounds[index]} (${ofAll})`
  }
}

/** The bound with the strongest evidence; while there is none, the one in the tail of stable. */
export function shownBound({
  metric,
  state,
  standing,
}: Pick<Judgement, 'metric' | 'state' | 'standing'>): number {
  if (metric.kind !== 'histogram' || state.counted === null) return 0
  if (standing.verdict !== 'worse')
    return representativeBound(
      countsOf(metric, state.counted.stable).map(({ bad, total }) => (total === 0 ? 0 : bad / total)),
    )
  const evidences = logEvidences(state.worse, metric.bounds.length)
  return evidences.indexOf(Math.max(...evidences))
}

function atLeast({ metric, bounds, state }: Judgement): string {
  if (bounds === null) return ''
  const times = `${number(bounds.ratio)} times`
  const points = pointsText(metric, bounds.points)
  const parts = [...(bounds.ratio > 1 ? [times] : []), ...(bounds.points > 0 ? [points] : [])]
  if (parts.length === 0) return ''
  return `: at least ${parts.join(' and ')} ${foundLess(metric, state.worse) ? 'too few' : 'too many'}`
}

function foundLess(metric: Metric, worse: readonly number[]): boolean {
  if (metric.kind === 'histogram') return false
  if (metric.direction !== 'either') return metric.direction === 'less-is-worse'
  const [more = 0, less = 0] = logEvidences(worse, 2)
  return less > more
}

function oneIn({ metric, state }: Judgement): string {
  const chance = Math.floor(Math.min(MOST_ONE_IN, Math.exp(state.peak) / directionsOf(metric)))
  return `Fewer than 1 in ${count(chance)} healthy candidates would look this bad.`
}

const ruledOut = ({ metric, budget }: Judgement): string =>
  `That it is ${pointsText(metric, metric.notice.points)} worse is ruled out: such a one would look this good in fewer than 1 of ${count(Math.round(1 / budget.beta))} cases.`

function passing({ metric, passing: share, state }: Judgement): string {
  if (share === null) return ''
  const edge = foundLess(metric, state.worse) ? 'From' : 'Up to'
  return ` ${edge} ${shareText(metric, share)} throughout would have passed.`
}

function needed({ metric, state, budget }: Judgement): string {
  const { toNotice, toRuleOut } = requestsNeeded(metric, state, budget)
  const unit = metric.kind === 'rate' ? 'more exposure of the candidate' : 'more candidate requests'
  const points = pointsText(metric, metric.notice.points)
  const notice =
    toNotice === null
      ? ` A rise of ${points} would never be noticed at this share: ask for a larger one${finer(metric)}.`
      : ` To notice one that is ${points} worse takes about ${count(toNotice)} ${unit}.`
  const rule =
    toRuleOut === null
      ? ` At this share it cannot be ruled out either.`
      : ` To rule it out takes about ${count(toRuleOut)}, if the candidate is like stable.`
  return `${notice}${rule}`
}

/** A verdict on divided counts says so. */
const dividedBy = ({ metric }: Judgement): string =>
  metric.dispersion === 1
    ? ''
    : ` Counts are divided by ${number(metric.dispersion)}, since they vary more than independent requests.`

const finer = (metric: Metric): string =>
  metric.kind !== 'histogram' && metric.grid === 'coarse' ? ', or take the fine grid' : ''

const shareText = (metric: Metric, share: number): string =>
  metric.kind === 'rate' ? `${number(100 * share)} per 100` : `${number(100 * share)}%`

/** `1 point`, `0.5 points`, `3 per 100`. */
const pointsText = (metric: Metric, points: number): string =>
  metric.kind === 'rate'
    ? `${number(points)} per 100`
    : `${number(points)} ${points === 1 ? 'point' : 'points'}`

const count = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 1 })

/** Three digits that count: 0.00123, 2.1, 12.3, 1,234. */
const number = (value: number): string =>
  value < 1000 ? value.toLocaleString('en-US', { maximumSignificantDigits: 3 }) : count(Math.round(value))
