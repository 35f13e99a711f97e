import type { AnalysisSettings } from '../release/settings.ts'

/** What is asked of the candidate, fixed before the first request is counted. Shares are 0 to 1. */
export type Check =
  | { kind: 'error-limit'; name: string; tier: 'critical' | 'warning'; limitShare: number; alpha: number }
  | { kind: 'latency-limit'; name: string; tier: 'critical' | 'warning'; boundMs: number; alpha: number }
  | { kind: 'errors-over-stable'; name: string; tier: 'critical' | 'warning'; points: number; alpha: number }
  | { kind: 'latency-over-stable'; name: string; tier: 'critical' | 'warning'; times: number; alpha: number }
  | { kind: 'errors-compare'; name: string; tier: 'compare'; ratio: number; points: number; alpha: number }
  | { kind: 'latency-compare'; name: string; tier: 'compare'; ratio: number; points: number; alpha: number }

/** A p99 limit asks that at most this share of requests is slower than the bound. */
export const P99_SLOW_SHARE = 0.01
export const P95_SLOW_SHARE = 0.05

/** Errors against stable, latency against stable and the absolute limits each get one third of the false-alarm budget. */
const HARM_GROUPS = 3

/** The checks of one rollout. Warnings pause and do not roll back, so they have a budget of their own. */
export function checksOf(settings: AnalysisSettings): Check[] {
  const perGroup = settings.alpha / HARM_GROUPS
  return [
    ...comparisons(settings, perGroup),
    ...limits(settings.critical, 'critical', perGroup),
    ...limits(settings.warning, 'warning', perGroup),
  ]
}

function comparisons({ compare }: AnalysisSettings, alpha: number): Check[] {
  const checks: Check[] = []
  if (compare.errors !== null)
    checks.push({
      kind: 'errors-compare',
      name: 'errors against stable',
      tier: 'compare',
      alpha,
      ...compare.errors,
    })
  if (compare.latency !== null)
    checks.push({
      kind: 'latency-compare',
      name: 'latency against stable',
      tier: 'compare',
      alpha,
      ...compare.latency,
    })
  return checks
}

function limits(limit: AnalysisSettings['critical'], tier: 'critical' | 'warning', budget: number): Check[] {
  const alpha = budget / Math.max(1, Object.keys(limit).length)
  const checks: Check[] = []
  if (limit.errorRatePercent !== undefined)
    checks.push({
      kind: 'error-limit',
      name: `error rate (${tier})`,
      tier,
      limitShare: limit.errorRatePercent / 100,
      alpha,
    })
  if (limit.errorPointsOverStable !== undefined)
    checks.push({
      kind: 'errors-over-stable',
      name: `errors over stable (${tier})`,
      tier,
      points: limit.errorPointsOverStable,
      alpha,
    })
  if (limit.p99Ms !== undefined)
    checks.push({ kind: 'latency-limit', name: `p99 latency (${tier})`, tier, boundMs: limit.p99Ms, alpha })
  if (limit.p95TimesStable !== undefined)
    checks.push({
      kind: 'latency-over-stable',
      name: `p95 over stable (${tier})`,
      tier,
      times: limit.p95TimesStable,
      alpha,
    })
  return checks
}
