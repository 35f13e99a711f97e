import * as z from 'zod'
import type { AnalysisSettings } from '../release/analysis-settings.ts'
import { formatDuration } from '../shared/duration.ts'
import { countSlowerThan, LATENCY_BOUNDS_MS, quantileMs } from '../shared/histogram.ts'
import type { SideCounts } from './batch.ts'
import { logEvidenceOfChange, logSumsAfter, suspectAfter, upperBoundOfRate } from './change-evidence.ts'
import { P95_SLOW_SHARE, P99_SLOW_SHARE } from './check.ts'
import { percent } from './criteria.ts'
import { isDryRun, type NUMBER_CHECKS } from './dry-run.ts'
import type { SideCount } from './e-process.ts'

/** A record of fewer requests says nothing about what is usual. */
const MIN_RECORDED_REQUESTS = 100
/** Nothing runs beside the release any more, so the hour of the day is in the comparison: only a doubling is held against it. */
const TIMES_RECORDED = 2

/**
 * One thing that is asked of a promoted release for the rest of its light watch, and what it has shown. The limit is
 * fixed before the first request is counted, and everything it needs is in here: it survives a restart.
 */
export const LightCheck = z.object({
  name: z.string(),
  /** Requests slower than this are bad ones; `null` counts errors. */
  boundMs: z.number().nullable(),
  /** At most this share may be bad. */
  limitShare: z.number(),
  /** The limit for people: `1%`, `0.86% (twice the record)`. */
  limit: z.string(),
  /** What it is measured against, for people: `0.30% of 1.0.0 (150 of 50000 during the rollout)`; empty for an absolute limit. */
  against: z.string(),
  alpha: z.number(),
  logSums: z.array(z.number()),
  suspect: z.object({ since: z.number(), bad: z.int(), total: z.int(), log: z.number() }),
})
export type LightCheck = z.infer<typeof LightCheck>

/** What was counted of one release while the rollout ran. */
export type Recorded = { version: string; counts: SideCounts }

/** What is asked: the absolute limits that the record keeps to, and nothing much worse than the record. */
export function lightChecks(
  settings: AnalysisSettings,
  recorded: readonly Recorded[],
  at: number,
): LightCheck[] {
  const record = recorded.filter(({ counts }) => counts.requests >= MIN_RECORDED_REQUESTS)
  const during = (name: (typeof NUMBER_CHECKS)[number], check: Asked | null): Asked[] =>
    check === null || isDryRun(settings, name) ? [] : [check]
  // What was a dry run during the rollout stays one.
  const asked = [
    ...during('error rate (critical)', errorLimit(settings, record)),
    ...during('p99 latency (critical)', latencyLimit(settings, record)),
    ...during('errors against stable', errorsAgainstRecord(settings, record)),
    ...during('p95 over stable (critical)', latencyAgainstRecord(settings, record)),
  ]
  const suspect = { since: at, bad: 0, total: 0, log: 0 }
  const alpha = settings.alpha / Math.max(1, asked.length)
  return asked.map((check) => ({ ...check, alpha, logSums: [], suspect }))
}

type Asked = Pick<LightCheck, 'name' | 'boundMs' | 'limitShare' | 'limit' | 'against'>

/** As during the rollout (ADR 0007): a limit that was breached all the time tells nothing new. */
const isUsual = (record: readonly Recorded[], boundMs: number | null, limitShare: number): boolean =>
  record.some(({ counts }) => shareOf(badIn(counts, boundMs)) > limitShare)

function errorLimit({ critical }: AnalysisSettings, record: readonly Recorded[]): Asked | null {
  const { errorRatePercent } = critical
  if (errorRatePercent === undefined || isUsual(record, null, errorRatePercent / 100)) return null
  const limit = `${errorRatePercent}%`
  return { name: 'error rate', boundMs: null, limitShare: errorRatePercent / 100, limit, against: '' }
}

function latencyLimit({ critical }: AnalysisSettings, record: readonly Recorded[]): Asked | null {
  const { p99Ms } = critical
  if (p99Ms === undefined || isUsual(record, p99Ms, P99_SLOW_SHARE)) return null
  const limit = `1% slower than ${p99Ms} ms`
  return { name: 'p99 latency', boundMs: p99Ms, limitShare: P99_SLOW_SHARE, limit, against: '' }
}

/** The worse of what was recorded counts: what both versions have been through is neither chance nor the new version. */
function worseOf(record: readonly Recorded[], measure: (counts: SideCounts) => number): Recorded | undefined {
  return [...record].sort((a, b) => measure(b.counts) - measure(a.counts))[0]
}

function errorsAgainstRecord(settings: AnalysisSettings, record: readonly Recorded[]): Asked | null {
  const { compare, alpha } = settings
  const worse = worseOf(record, (counts) => upperBoundOfRate(badIn(counts, null), alpha))
  if (compare.errors === null || worse === undefined) return null
  const seen = badIn(worse.counts, null)
  const times = Math.max(TIMES_RECORDED, compare.errors.ratio)
  const limitShare = Math.min(1, times * upperBoundOfRate(seen, alpha) + compare.errors.points / 100)
  const against = `${percent(100 * shareOf(seen))} of ${worse.version} (${seen.bad} of ${seen.total} during the rollout)`
  return { name: 'errors', boundMs: null, limitShare, limit: percent(100 * limitShare), against }
}

function latencyAgainstRecord({ critical }: AnalysisSettings, record: readonly Recorded[]): Asked | null {
  const p95 = (counts: SideCounts): number => quantileMs(counts.latencyBuckets, 0.95) ?? 0
  const worse = worseOf(record, p95)
  const times = critical.p95TimesStable
  if (times === undefined || worse === undefined) return null
  const recordedMs = p95(worse.counts)
  const boundMs = LATENCY_BOUNDS_MS.find((bound) => bound >= recordedMs * times)
  if (recordedMs === 0 || boundMs === undefined) return null
  return {
    name: 'p95 latency',
    boundMs,
    limitShare: P95_SLOW_SHARE,
    limit: `5% slower than ${boundMs} ms`,
    against: `a p95 of ${Math.round(recordedMs)} ms of ${worse.version} during the rollout`,
  }
}

/** The check after one more batch. */
export function countIn(check: LightCheck, counts: SideCounts, sinceAt: number): LightCheck {
  const { limitShare } = check
  const batch = badIn(counts, check.boundMs)
  return {
    ...check,
    logSums: logSumsAfter(check.logSums, batch, limitShare),
    suspect: suspectAfter(check.suspect, { ...batch, sinceAt }, limitShare),
  }
}

/** Shown to be broken, in a watch of at most so many batches. */
export const isBroken = (check: LightCheck, batches: number): boolean =>
  logEvidenceOfChange(check.logSums, batches) >= Math.log(1 / check.alpha)

/** `errors 2.1% (48 of 2270 in the last 2m) against 0.3% of 1.0.0 (...), limit 0.86%; fewer than 1 in 400 ...` */
export function describeBroken(check: LightCheck, batches: number, now: number): string {
  const { bad, total, since } = check.suspect
  const share = percent(100 * shareOf({ bad, total }))
  const what = check.boundMs === null ? share : `: ${share} slower than ${check.boundMs} ms`
  const time = formatDuration(Math.max(1000, Math.floor((now - since) / 1000) * 1000))
  const against = check.against === '' ? '' : ` against ${check.against}`
  const oneIn = Math.floor(Math.min(1e9, Math.exp(logEvidenceOfChange(check.logSums, batches))))
  return `${check.name}${check.boundMs === null ? ' ' : ''}${what} (${bad} of ${total} in the last ${time})${against}, limit ${check.limit}; fewer than 1 in ${oneIn.toLocaleString('en-US')} healthy releases would show this`
}

function badIn(counts: SideCounts, boundMs: number | null): SideCount {
  if (boundMs === null) return { bad: counts.errors, total: counts.requests }
  const total = counts.latencyBuckets.reduce((sum, count) => sum + count, 0)
  return { bad: countSlowerThan(counts.latencyBuckets, boundMs), total }
}

const shareOf = ({ bad, total }: SideCount): number => (total === 0 ? 0 : bad / total)
