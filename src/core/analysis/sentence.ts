import { formatDuration } from '../shared/duration.ts'
import { quantileMs } from '../shared/histogram.ts'
import { describeBurn } from './burn-rate-sentence.ts'
import type { Check, Comparison } from './check.ts'
import { percent } from './criteria.ts'
import type { SideCount } from './e-process.ts'
import { lowerBoundOfRate } from './e-process.ts'
import type { CheckState, CheckVerdict, Counted } from './judge.ts'
import { countsOf, hasOwnCounts, isAboutErrors, UNRECORDED_SPREAD } from './judge.ts'
import { type Dispersion, FULL_BASELINE_MINUTES } from './sequential/dispersion.ts'
import { requestsNeeded } from './sequential/growth.ts'
import { newState } from './sequential/state.ts'

/** What a verdict rests on, beside the state of the check. */
export type Grounds = { verdict: CheckVerdict; counted: Counted; dispersion: Dispersion }

/** The check in words a person can verify: values of both sides, the threshold, one sentence. */
export function describeCheck(
  check: Check,
  state: CheckState,
  grounds: Grounds,
): { candidate: string; stable: string; threshold: string; sentence: string } {
  const counts = countsOf(check, state, grounds.counted)
  const shown = {
    candidate: showSide(check, grounds.counted.candidate.latencyBuckets, counts.candidate),
    stable: showSide(check, grounds.counted.stable.latencyBuckets, counts.stable),
    threshold: showThreshold(check, state),
    ...(check.kind === 'burn-rate' ? describeBurn(check, state.burn) : {}),
  }
  return { ...shown, sentence: sentenceFor(check, state, { ...grounds, shown, of: counts.candidate }) }
}

type Shown = { candidate: string; stable: string; threshold: string }
type Told = Grounds & { shown: Shown; of: SideCount }

function sentenceFor(check: Check, state: CheckState, told: Told): string {
  const { verdict, shown, of } = told
  const subject = `${check.name}: candidate ${shown.candidate}`
  if (verdict.verdict === 'no-data' && check.kind === 'throughput')
    return `${check.name}: at no time both versions had a share that stayed the same, so nothing tells what was due`
  if (verdict.verdict === 'no-data' && check.kind === 'crashes')
    return `${check.name}: instances of both versions were not seen side by side yet`
  if (of.total === 0 && check.kind === 'differing') return `${check.name}: no answers were compared yet`
  if (of.total === 0 && check.kind === 'throughput') return `${check.name}: no requests were due yet`
  if (of.total === 0) return `${check.name}: the candidate has served no requests yet`
  switch (verdict.verdict) {
    case 'worse':
      return `${worse(check, subject, told)}${divided(check, told)}`
    case 'not-worse':
      return `${subject}, stable ${shown.stable}; that it is ${noticed(check)} worse is ruled out${divided(check, told)}`
    case 'watching':
    case 'no-data':
      return verdict.excuse === null
        ? `${subject}, stable ${shown.stable}; limit ${shown.threshold}${lasting(check)} is not shown to be broken${needed(check, state, told)}${divided(check, told)}`
        : `${subject}; ${verdict.excuse}`
  }
}

function worse(check: Check, subject: string, { verdict, shown, of, dispersion }: Told): string {
  const oneIn = Math.floor(Math.min(1e9, Math.exp(verdict.logE)))
  // The evidence was divided, so what it shows is as well.
  const bound = lowerBoundOfRate(
    { bad: of.bad / dispersion.phi, total: of.total / dispersion.phi },
    check.alpha,
  )
  const atLeast =
    check.kind === 'error-limit' || check.kind === 'latency-limit'
      ? ` (at least ${percent(bound * 100)} with confidence)`
      : ''
  return `${subject}${atLeast}, stable ${shown.stable}, limit ${shown.threshold}${lasting(check)}; fewer than 1 in ${oneIn.toLocaleString('en-US')} healthy rollouts would look this bad`
}

const lasting = (check: Check): string =>
  'overMs' in check && check.overMs !== undefined ? ` for ${formatDuration(check.overMs)} or more` : ''

/** How much more there has to be before a comparison can tell. */
function needed(check: Check, state: CheckState, { dispersion }: Told): string {
  if (check.kind !== 'compare') return ''
  const metric = { ...check.metric, dispersion: dispersion.phi }
  const { toNotice } = requestsNeeded(metric, state.sequential ?? newState(), check)
  return toNotice === null || toNotice === 0
    ? ''
    : `; about ${toNotice.toLocaleString('en-US')} more requests of the candidate would show one that is ${noticed(check)} worse`
}

const noticed = (check: Check): string => {
  const points = check.kind === 'compare' ? check.metric.notice.points : 0
  return `${points} ${points === 1 ? 'point' : 'points'}`
}

/** Said only where it changes something. */
function divided(check: Check, { dispersion: { phi, evidence, minutes } }: Told): string {
  if (phi === 1) return ''
  const by = `; the evidence is divided by ${Number(phi.toPrecision(2))}`
  if (phi === UNRECORDED_SPREAD && hasOwnCounts(check))
    return `${by}, since nobody records how much these counts vary by themselves`
  return evidence === 'full'
    ? `${by}, since counts vary so much by themselves`
    : `${by} for want of a baseline (${minutes} of ${FULL_BASELINE_MINUTES} minutes)`
}

function showSide(check: Check, latencyBuckets: readonly number[], count: SideCount): string {
  if (check.kind === 'throughput') return answersText(count)
  if (check.kind === 'differing') return differingText(count)
  if (check.kind === 'crashes')
    return `${count.bad} ${count.bad === 1 ? 'crash' : 'crashes'} in ${formatDuration(Math.round(count.total * 3600) * 1000)} of its instances`
  if (count.total === 0) return 'no requests'
  if (isAboutErrors(check))
    return `${percent((100 * count.bad) / count.total)} errors (${count.bad} of ${count.total})`
  const share = check.kind === 'latency-limit' ? 0.99 : 0.95
  return `p${share * 100} ${Math.round(quantileMs(latencyBuckets, share) ?? 0)} ms`
}

/** All that stable answered was due, so there is nothing to compare it with. */
function answersText({ bad, total }: SideCount): string {
  const [answered, due] = [bad, Math.round(total)].map((count) => count.toLocaleString('en-US'))
  return bad === total ? `${answered} answered` : `${answered} of ${due} requests due`
}

/** Stable is what answers are measured by, so it has no count of its own. */
const differingText = ({ bad, total }: SideCount): string =>
  total === 0 ? 'the measure' : `${percent((100 * bad) / total)} differ (${bad} of ${total})`

function showThreshold(check: Check, state: CheckState): string {
  switch (check.kind) {
    case 'error-limit':
    case 'differing':
      return `${Number((check.limitShare * 100).toPrecision(12))}%`
    case 'latency-limit':
      return `${check.boundMs} ms`
    case 'errors-over-stable':
      return `stable + ${check.points} points`
    case 'burn-rate':
      return describeBurn(check, state.burn).threshold
    case 'latency-over-stable':
      return state.boundMs === null
        ? `${check.times}x stable`
        : `${check.times}x stable (${state.boundMs} ms)`
    case 'throughput':
      return `${Number((check.leastShare * 100).toPrecision(12))}% of what is due`
    case 'crashes':
      return check.ratio === 1 ? "stable's rate" : `${check.ratio}x stable's rate`
    case 'compare':
      return compareThreshold(check)
  }
}

const compareThreshold = ({ metric: { tolerance } }: Comparison): string =>
  tolerance.ratio === 1
    ? `stable + ${tolerance.points} points`
    : `${tolerance.ratio}x stable + ${tolerance.points} points`
