import type { AnalysisSettings } from '../release/settings.ts'
import type { MetricDefinition } from '../shared/metric-definition.ts'
import { type BurnLimit, burnLimitOf } from './burn-rate.ts'
import { Metric } from './sequential/metric.ts'

type Named<Tier> = { name: string; tier: Tier; alpha: number }
type Tiered = Named<'critical' | 'warning'>

/** A limit of its own, or one that hangs on stable. Shares are 0 to 1. */
export type Guard =
  | (Tiered & { kind: 'error-limit'; limitShare: number })
  | (Tiered & { kind: 'latency-limit'; boundMs: number })
  | (Tiered & { kind: 'errors-over-stable'; points: number })
  | (Tiered & { kind: 'latency-over-stable'; times: number })
  | (Tiered & BurnLimit)
/** The candidate against the concurrent stable. */
export type Comparison = Named<'compare'> & {
  kind: 'compare'
  of: 'errors' | 'latency'
  metric: Metric
  beta: number
}
/** What is asked of the candidate, fixed before the first request is counted. */
export type Check = Guard | Comparison

/** A p99 limit asks that at most this share of requests is slower than the bound. */
export const P99_SLOW_SHARE = 0.01
export const P95_SLOW_SHARE = 0.05

/** Checks of an absolute share: bad ones of all, whatever stable does. */
export type ShareLimit = Extract<Guard, { kind: 'error-limit' | 'latency-limit' | 'latency-over-stable' }>

export const isShareLimit = (check: Check): check is ShareLimit =>
  check.kind === 'error-limit' || check.kind === 'latency-limit' || check.kind === 'latency-over-stable'

/** The share of bad ones above which the limit is broken, 0 to 1. */
export function limitShareOf(check: ShareLimit): number {
  if (check.kind === 'error-limit') return check.limitShare
  return check.kind === 'latency-limit' ? P99_SLOW_SHARE : P95_SLOW_SHARE
}

/** Bounds of the latency comparison, fixed before the data; evidence of the bounds is averaged. */
export const COMPARED_BOUNDS_MS = [20, 50, 100, 200, 300, 500, 750, 1000, 2000, 5000] as const

/** Errors against stable, latency against stable and the absolute limits each get one third of the false-alarm budget. */
const HARM_GROUPS = 3
/** What is to be noticed lies above what is tolerated, or both verdicts could be true at once. */
const NOTICE_OVER_TOLERANCE = 0.5

/** What the budget is shared among depends on. */
export type Budgeted = Pick<AnalysisSettings, 'alpha' | 'newErrors' | 'slo' | 'metrics'>

/**
 * New errors get a part of the budget, too, where they may roll back, and so do an objective and, all together, the declared
 * metrics. They do not share the part of the limits: declaring one must not make the limits blinder than anything else.
 */
export const alphaPerGroup = ({ alpha, newErrors, slo, metrics }: Budgeted): number => {
  const more = [newErrors === 'critical', slo !== null, countsOfTier(metrics, 'critical') > 0]
  return alpha / (HARM_GROUPS + more.filter((isThere) => isThere).length)
}

/** What one declared metric may spend: those of a tier share a group, and only those that are critical take from the budget. */
export const alphaOfMetric = (settings: Budgeted, { tier }: MetricDefinition): number =>
  alphaPerGroup(settings) / Math.max(1, countsOfTier(settings.metrics, tier))

/** A value has no statistics and needs no budget. */
const countsOfTier = (metrics: AnalysisSettings['metrics'], tier: MetricDefinition['tier']): number =>
  metrics.filter((metric) => metric.tier === tier && metric.measure.kind !== 'value').length

/** Settings of a rollout never change, and every look asks for its checks. */
const MADE = new WeakMap<AnalysisSettings, readonly Check[]>()

/** The checks of one rollout. Warnings pause and do not roll back, so they have a budget of their own. */
export function checksOf(settings: AnalysisSettings): readonly Check[] {
  const made = MADE.get(settings) ?? makeChecks(settings)
  MADE.set(settings, made)
  return made
}

function makeChecks(settings: AnalysisSettings): Check[] {
  const perGroup = alphaPerGroup(settings)
  return [
    ...comparisons(settings, perGroup),
    ...limits(settings.critical, 'critical', perGroup),
    ...limits(settings.warning, 'warning', perGroup),
    ...burnRates(settings, perGroup),
  ]
}

function comparisons({ compare, noticePoints, alpha: beta }: AnalysisSettings, alpha: number): Check[] {
  const of = (what: 'errors' | 'latency', tolerance: { ratio: number; points: number } | null): Check[] => {
    if (tolerance === null) return []
    const name = `${what} against stable`
    const notice = { points: Math.max(noticePoints, tolerance.points + NOTICE_OVER_TOLERANCE) }
    const kind =
      what === 'errors'
        ? { kind: 'ratio' as const }
        : { kind: 'histogram' as const, bounds: [...COMPARED_BOUNDS_MS] }
    const metric = Metric.parse({ name, tolerance, notice, ...kind })
    return [{ kind: 'compare', of: what, name, tier: 'compare', alpha, beta, metric }]
  }
  return [...of('errors', compare.errors), ...of('latency', compare.latency)]
}

function limits(limit: AnalysisSettings['critical'], tier: 'critical' | 'warning', budget: number): Check[] {
  const alpha = budget / Math.max(1, Object.keys(limit).length)
  const { errorRatePercent, errorPointsOverStable: points, p99Ms: boundMs, p95TimesStable: times } = limit
  const named = (what: string) => ({ name: `${what} (${tier})`, tier, alpha })
  const checks: Check[] = []
  if (errorRatePercent !== undefined)
    checks.push({ kind: 'error-limit', ...named('error rate'), limitShare: errorRatePercent / 100 })
  if (points !== undefined)
    checks.push({ kind: 'errors-over-stable', ...named('errors over stable'), points })
  if (boundMs !== undefined) checks.push({ kind: 'latency-limit', ...named('p99 latency'), boundMs })
  if (times !== undefined) checks.push({ kind: 'latency-over-stable', ...named('p95 over stable'), times })
  return checks
}

function burnRates({ slo }: AnalysisSettings, alpha: number): Check[] {
  if (slo === null) return []
  const name = slo.slowerThanMs === null ? 'error budget' : 'latency budget'
  return (['critical', 'warning'] as const).map((tier) => ({
    ...burnLimitOf(slo, tier),
    name: `${name} (${tier})`,
    tier,
    alpha,
  }))
}
