import { quantileMs } from '../shared/histogram.ts'
import type { Check } from './check.ts'
import { percent } from './criteria.ts'
import type { SideCount } from './e-process.ts'
import { lowerBoundOfRate } from './e-process.ts'
import type { CheckState, CheckVerdict } from './judge.ts'
import { countsOf } from './judge.ts'

/** The check in words a person can verify: values of both sides, the threshold, one sentence. */
export function describeCheck(
  check: Check,
  state: CheckState,
  verdict: CheckVerdict,
): { candidate: string; stable: string; threshold: string; sentence: string } {
  const counts = countsOf(check, state)
  const candidate = showSide(check, state, 'candidate', counts.candidate)
  const stable = showSide(check, state, 'stable', counts.stable)
  const threshold = showThreshold(check, state)
  return {
    candidate,
    stable,
    threshold,
    sentence: sentenceFor(check, state, verdict, { candidate, stable, threshold }),
  }
}

type Shown = { candidate: string; stable: string; threshold: string }

function sentenceFor(check: Check, state: CheckState, verdict: CheckVerdict, shown: Shown): string {
  const { candidate } = countsOf(check, state)
  const subject = `${check.name}: candidate ${shown.candidate}`
  if (candidate.total === 0) return `${check.name}: the candidate has served no requests yet`
  if (verdict.verdict !== 'worse') {
    return verdict.excuse === null
      ? `${subject}, stable ${shown.stable}; limit ${shown.threshold} is not shown to be broken`
      : `${subject}; ${verdict.excuse}`
  }
  const oneIn = Math.min(1e9, Math.exp(verdict.logE))
  const bound = lowerBoundOfRate(candidate, check.alpha)
  const atLeast =
    check.kind === 'error-limit' || check.kind === 'latency-limit'
      ? ` (at least ${percent(bound * 100)} with confidence)`
      : ''
  return `${subject}${atLeast}, stable ${shown.stable}, limit ${shown.threshold}; fewer than 1 in ${Math.floor(oneIn).toLocaleString('en-US')} healthy rollouts would look this bad`
}

function showSide(check: Check, state: CheckState, side: 'candidate' | 'stable', count: SideCount): string {
  if (count.total === 0) return 'no requests'
  const ofAll = `${count.bad} of ${count.total}`
  switch (check.kind) {
    case 'error-limit':
    case 'errors-over-stable':
    case 'errors-compare':
      return `${percent((100 * count.bad) / count.total)} errors (${ofAll})`
    case 'latency-limit':
      return `p99 ${quantile(state, side, 0.99)}`
    case 'latency-over-stable':
    case 'latency-compare':
      return `p95 ${quantile(state, side, 0.95)}`
  }
}

const quantile = (state: CheckState, side: 'candidate' | 'stable', share: number): string =>
  `${Math.round(quantileMs(state[side].latencyBuckets, share) ?? 0)} ms`

function showThreshold(check: Check, state: CheckState): string {
  switch (check.kind) {
    case 'error-limit':
      return `${Number((check.limitShare * 100).toPrecision(12))}%`
    case 'latency-limit':
      return `${check.boundMs} ms`
    case 'errors-over-stable':
      return `stable + ${check.points} points`
    case 'latency-over-stable':
      return state.boundMs === null
        ? `${check.times}x stable`
        : `${check.times}x stable (${state.boundMs} ms)`
    case 'errors-compare':
    case 'latency-compare':
      return check.ratio === 1
        ? `stable + ${check.points} points`
        : `${check.ratio}x stable + ${check.points} points`
  }
}
