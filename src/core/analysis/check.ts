import type { AnalysisSettings } from '../release/analysis-settings.ts'
import type { MetricDefinition } from '../shared/metric-definition.ts'
import { type BurnLimit, burnLimitOf } from './burn-rate.ts'
import { Metric } from './sequential/metric.ts'

type Named<Tier> = { name: string; tier: Tier; alpha: number }
type Tiered = Named<'critical' | 'warning'>

/** Only trouble of at least this length can break it. */
type Lasting = { overMs?: number }
/** The candidate answers less than this part of the requests that are due by its weight. */
export type ThroughputLimit = Tiered & Required<Lasting> & { kind: 'throughput'; leastShare: number }
/** Of the answers of a shadow at most this share may differ from what users got. */
export type DifferingLimit = Tiered & { kind: 'differing'; limitShare: number }
/** Crashes of the candidate beside those of stable. */
export type CrashComparison = Named<'compare'> & { kind: 'crashes'; ratio: number }

/** A limit of its own, or one that hangs on stable. Shares are 0 to 1. */
export type Guard =
  | (Tiered & { kind: 'error-limit'; limitShare: number })
  | (Tiered & { kind: 'latency-limit'; boundMs: number })
  | (Tiered & { kind: 'errors-over-stable'; points: number })
  | (Tiered & Lasting & { kind: 'latency-over-stable'; times: number })
  | (Tiered & BurnLimit)
  | ThroughputLimit
  | DifferingLimit
  | CrashComparison
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

/** Part of the limits' budget for those of them that take minutes. */
const SLOW_PART = 0.1
/** Users of one version come in bursts: fewer requests than are due for less than this is no evidence. */
const FEW_FOR_MS = 60_000

/** What the budget is shared among depends on. */
export type Budgeted = Pick<AnalysisSettings, 'alpha' | 'newErrors' | 'slo' | 'metrics' | 'differingPercent'>

/**
 * New errors get a part of the budget, too, where they may roll back, and so do an objective, the answers of a shadow and,
 * all together, the declared metrics. They do not share the part of the limits: declaring one must not make the limits blinder than anything else.
 */
export const alphaPerGroup = ({ alpha, newErrors, slo, metrics, differingPercent }: Budgeted): number => {
  const isMetric = countsOfTier(metrics, 'critical') > 0
  const more = [newErrors === 'critical', slo !== null, isMetric, differingPercent !== undefined]
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
    ...withinBudget([...limits(settings.critical, 'critical'), ...lasting(settings)], perGroup),
    ...withinBudget(limits(settings.warning, 'warning'), perGroup),
    ...burnRates(settings, perGroup),
    ...differing(settings, perGroup),
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

/** A check that has no part of the budget yet. */
type Unpaid<T> = T extends unknown ? Omit<T, 'alpha'> : never
type UnpaidGuard = Unpaid<Guard>

function limits(limit: AnalysisSettings['warning'], tier: 'critical' | 'warning'): UnpaidGuard[] {
  const {
    errorRatePercent,
    errorPointsOverStable: points,
    p99Ms: boundMs,
    p95TimesStable: times,
    throughputPercent,
  } = limit
  const named = (what: string) => ({ name: `${what} (${tier})`, tier })
  const checks: UnpaidGuard[] = []
  if (errorRatePercent !== undefined)
    checks.push({ kind: 'error-limit', ...named('error rate'), limitShare: errorRatePercent / 100 })
  if (points !== undefined)
    checks.push({ kind: 'errors-over-stable', ...named('errors over stable'), points })
  if (boundMs !== undefined) checks.push({ kind: 'latency-limit', ...named('p99 latency'), boundMs })
  if (times !== undefined) checks.push({ kind: 'latency-over-stable', ...named('p95 over stable'), times })
  if (throughputPercent !== undefined)
    checks.push({
      kind: 'throughput',
      ...named('throughput'),
      leastShare: throughputPercent / 100,
      overMs: FEW_FOR_MS,
    })
  return checks
}

/** What takes its time: trouble that lasts, and crashes, of which there are few. */
function lasting({ critical: { forLong }, compare: { crashes } }: AnalysisSettings): UnpaidGuard[] {
  const tier = 'critical'
  const checks: UnpaidGuard[] = []
  if (forLong?.throughputPercent !== undefined) {
    const leastShare = forLong.throughputPercent / 100
    const name = 'throughput for long (critical)'
    checks.push({ kind: 'throughput', name, tier, leastShare, overMs: forLong.overMs })
  }
  if (forLong?.p95TimesStable !== undefined) {
    const name = 'p95 over stable for long (critical)'
    checks.push({
      kind: 'latency-over-stable',
      name,
      tier,
      times: forLong.p95TimesStable,
      overMs: forLong.overMs,
    })
  }
  if (crashes !== undefined)
    checks.push({ kind: 'crashes', name: 'crashes against stable', tier: 'compare', ratio: crashes.ratio })
  return checks
}

/**
 * What takes minutes anyway loses nothing by a higher threshold: all of it together gets a tenth of what the limits have,
 * and the others hardly notice.
 */
function withinBudget(checks: readonly UnpaidGuard[], budget: number): Check[] {
  const slow = checks.filter(takesTime).length
  const fast = checks.length - slow
  const slowPart = slow === 0 ? 0 : fast === 0 ? 1 : SLOW_PART
  return checks.map((check) => ({
    ...check,
    alpha: takesTime(check) ? (budget * slowPart) / slow : (budget * (1 - slowPart)) / fast,
  }))
}

const takesTime = (check: UnpaidGuard): boolean =>
  check.kind === 'crashes' || ('overMs' in check && check.overMs !== undefined)

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

function differing({ differingPercent }: AnalysisSettings, alpha: number): Check[] {
  if (differingPercent === undefined) return []
  const name = 'differing answers'
  return [{ kind: 'differing', name, tier: 'critical', alpha, limitShare: differingPercent / 100 }]
}
