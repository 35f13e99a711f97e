import { alphaOfMetric } from '../../analysis/check.ts'
import { chanceOf } from '../../analysis/evidence/chance.ts'
import type { Asking, CheckEvidence, EvidencePoint } from '../../analysis/evidence/evidence.ts'
import { leastNoticed } from '../../analysis/evidence/least-noticed.ts'
import { stretches } from '../../analysis/evidence/stretches.ts'
import { addSides, type Batch, sizeOf } from '../../analysis/sequential/batch.ts'
import { momentOf } from '../../analysis/sequential/decisive-moment.ts'
import { shownBound } from '../../analysis/sequential/explain.ts'
import { requestsNeeded } from '../../analysis/sequential/growth.ts'
import { lowerBounds } from '../../analysis/sequential/lower-bounds.ts'
import type { Metric } from '../../analysis/sequential/metric.ts'
import { passingShare } from '../../analysis/sequential/passing-share.ts'
import { countsOf, directionsOf } from '../../analysis/sequential/question.ts'
import { newState } from '../../analysis/sequential/state.ts'
import type { MetricDefinition } from '../../shared/metric-definition.ts'
import type { RolloutState } from '../state.ts'
import { comparedOf, metricDispersion, metricStateOf, standingOfMetric } from './metric-count.ts'
import { isCounted, type MetricState } from './metric-state.ts'
import { describeMetric, pointsText } from './metric-text.ts'
import type { MetricLook } from './metric-trail.ts'

/** A window with counts of both versions' sides; one of them may be zero. */
type CountedLook = { look: MetricLook; batch: Batch & { dispersion: number } }

/** All that the verdict on a declared metric rests on, recomputed from its windows; `null` for a value, which has no statistics. */
export function metricEvidence(
  rollout: RolloutState,
  metric: MetricDefinition,
  looks: readonly MetricLook[],
): CheckEvidence | null {
  const state = metricStateOf(rollout, metric.name)
  const standing = standingOfMetric(rollout.settings.analysis, metric, state)
  const dispersion = metricDispersion(rollout, metric, state.last?.window.toMs ?? rollout.startedAt)
  const compared = comparedOf(metric, dispersion.phi)
  if (standing === null || compared === null) return null
  const used = looks.flatMap(countedLook)
  const { sentence, threshold: limit } = describeMetric(rollout, metric)
  const bound = shownBound({ metric: compared, state: state.sequential ?? newState(), standing })
  const points = stretches(used).map((some) => pointOf(compared, some, bound))
  const facts = factsOf(rollout, metric, { compared, state, used })
  const crossed = used.findIndex(({ look }) => look.at === state.crossedAt)
  const peak = state.sequential?.peak ?? 0
  return {
    name: metric.name,
    tier: metric.tier,
    verdict: standing.verdict,
    sentence,
    limit,
    counted: countedWords(compared, bound),
    unit: compared.kind === 'rate' ? 'per-100' : 'percent',
    about: 'declared',
    asking: askingOf(metric, looks),
    boundMs: null,
    limitShare: null,
    ...facts,
    candidate: sumOf(points.map(({ candidate }) => candidate)),
    stable: sumOf(points.map(({ stable }) => stable)),
    logE: standing.logEvalue,
    peakLogE: peak,
    threshold: standing.threshold,
    ...chanceOf(peak, directionsOf(compared)),
    crossedAt: state.crossedAt,
    crossedAtBatch: state.crossedAt === null || crossed === -1 ? null : crossed + 1,
    looks: used.length,
    dispersion,
    points,
  }
}

function countedLook(look: MetricLook): CountedLook[] {
  const { candidate, stable } = look.sample
  if (candidate.kind !== 'counts' || stable.kind !== 'counts') return []
  return [{ look, batch: { candidate: candidate.side, stable: stable.side, dispersion: look.dispersion } }]
}

type Facts = Pick<CheckEvidence, 'harm' | 'atLeast' | 'passing' | 'needed' | 'leastNoticed'>
type Judged = { compared: Metric; state: MetricState; used: readonly CountedLook[] }

function factsOf(
  { settings: { analysis } }: RolloutState,
  metric: MetricDefinition,
  { compared, state, used }: Judged,
): Facts {
  const budget = { alpha: alphaOfMetric(analysis, metric), beta: analysis.alpha }
  const { alpha } = budget
  const deciding = state.crossedAt === null ? used : used.slice(0, peakOf(used) + 1)
  const evidences = deciding.at(-1)?.look.evidences ?? []
  const direction = Math.max(0, evidences.indexOf(Math.max(...evidences)))
  const batches = used.map(({ batch }) => batch)
  const moment = momentOf(compared, batches.slice(0, deciding.length), direction)
  const peak = state.sequential?.peak ?? 0
  // Without any evidence for "worse" there is nothing that it shows at least.
  const bounds = moment.cells.length === 0 || peak <= 0 ? null : lowerBounds(compared, moment, alpha)
  const both = batches.filter(({ candidate, stable }) => sizeOf(candidate) > 0 && sizeOf(stable) > 0)
  return {
    harm: harmOf(compared, direction),
    atLeast: { ratio: bounds?.ratio ?? null, points: bounds?.points ?? null, share: null },
    passing: passingShare(compared, batches, { alpha, direction }),
    needed: {
      what: `one that is ${pointsText(compared, compared.notice.points)} worse than stable`,
      ...requestsNeeded(compared, state.sequential ?? newState(), budget),
    },
    leastNoticed: leastNoticed(compared, both, budget),
  }
}

/** The window after which the evidence was highest first. */
function peakOf(used: readonly CountedLook[]): number {
  const strongest = used.map(({ look }) => Math.max(...look.evidences))
  return strongest.indexOf(Math.max(...strongest))
}

function harmOf(metric: Metric, direction: number): CheckEvidence['harm'] {
  if (metric.kind === 'histogram') return 'more'
  return metric.direction === 'less-is-worse' || direction === 1 ? 'less' : 'more'
}

function pointOf(metric: Metric, some: readonly CountedLook[], bound: number): EvidencePoint {
  const sum = (of: 'candidate' | 'stable') => {
    const { bad = 0, total = 0 } =
      countsOf(metric, some.map(({ batch }) => batch[of]).reduce(addSides))[bound] ?? {}
    return { bad, total }
  }
  return {
    at: some.at(-1)?.look.at ?? 0,
    logE: some.reduce((most, { look }) => Math.max(most, ...look.evidences), Number.NEGATIVE_INFINITY),
    candidate: sum('candidate'),
    stable: sum('stable'),
  }
}

function countedWords(metric: Metric, bound: number): string {
  switch (metric.kind) {
    case 'ratio':
      return `${metric.name} of total`
    case 'rate':
      return `${metric.name} per 100`
    case 'histogram':
      return `${metric.name} above ${metric.bounds[bound]}`
  }
}

/** The question, and what came of the asking. */
export function askingOf({ query }: MetricDefinition, looks: readonly MetricLook[]): Asking {
  const isFailed = ({ sample }: MetricLook): boolean =>
    [sample.candidate, sample.stable].some(({ kind }) => kind === 'failure')
  const answered = looks.filter((look) => !isFailed(look))
  const counted = answered.filter(({ sample }) => isCounted(sample)).length
  const last = answered.at(-1)?.sample ?? null
  return {
    provider: query.provider,
    asked: (last ?? looks.at(-1)?.sample)?.candidate.asked ?? [],
    window: last?.window ?? null,
    counted,
    empty: answered.length - counted,
    failed: looks.length - answered.length,
  }
}

const sumOf = (sides: readonly { bad: number; total: number }[]) => ({
  bad: sides.reduce((sum, { bad }) => sum + bad, 0),
  total: sides.reduce((sum, { total }) => sum + total, 0),
})
