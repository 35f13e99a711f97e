import * as z from 'zod'
import { formatDuration } from '../shared/duration.ts'
import { countSlowerThan, LATENCY_BOUNDS_MS, quantileMs } from '../shared/histogram.ts'
import { answeredBy, type Batch, type SideCounts } from './batch.ts'
import { addToBurn, type BurnLimit, BurnState, burnEvidence, burnExcuse } from './burn-rate.ts'
import {
  type Check,
  COMPARED_BOUNDS_MS,
  type Comparison,
  type Guard,
  isShareLimit,
  limitShareOf,
  type ShareLimit,
  type ThroughputLimit,
} from './check.ts'
import { comparedCrashes, crashesIn, crashTerms } from './crashes.ts'
import { differingIn, differingTerms } from './differing.ts'
import type { SideCount } from './e-process.ts'
import { logMeanExp, logTermsAgainstLimit, logTermsAgainstStable } from './e-process.ts'
import type { Batch as MetricBatch, Side } from './sequential/batch.ts'
import {
  addBatch as addComparison,
  evidenceOf,
  isWorse,
  newState,
  SequentialState,
  type Standing,
  verdictOf as standingOf,
  weakest,
} from './sequential/state.ts'
import { type Answered, answeredIn, answeredOfDue, throughputTerms } from './throughput.ts'

/** Stable needs this many requests before its own rates excuse the candidate or freeze a bound. */
const MIN_STABLE_REQUESTS = 100

const OwnCount = z.object({ bad: z.number(), total: z.number() })

/** Everything a check remembers: a few sums. Survives a restart; replaying the batches gives the same numbers. */
export const CheckState = z.object({
  name: z.string(),
  /** Log evidence per alternative of a guard; the one of its windows for a burn rate. */
  terms: z.array(z.number()),
  /** Bound in ms chosen from stable's own latencies; `null` until there were enough of them. */
  boundMs: z.number().nullable(),
  /** Of a limit: what stable did beside the candidate's requests. */
  beside: z.object({ bad: z.number(), total: z.number() }).default({ bad: 0, total: 0 }),
  /** Highest log evidence so far: a crossing is final, whatever comes later. */
  peakLogE: z.number(),
  crossedAt: z.number().nullable(),
  /** Of a comparison; `null` for a guard. */
  sequential: SequentialState.nullable().default(null),
  /** Of a burn rate; `null` for the others, and before the first request. */
  burn: BurnState.nullable().default(null),
  /** Of a check that counts neither errors nor slow requests: what it has counted; `null` for the others. */
  own: z.object({ candidate: OwnCount, stable: OwnCount }).nullable().default(null),
})
export type CheckState = z.infer<typeof CheckState>

/** All that was counted since the first batch, the present one included. */
export type Counted = { candidate: SideCounts; stable: SideCounts }

/** What is known about a batch before it is judged. */
export type BatchContext = {
  /** Totals with this batch. */
  counted: Counted
  /** By what the evidence is divided, since counts vary more than those of independent requests. */
  dispersion: { errors: number; latency: number }
  /** The weight was changed a moment ago: caches are cold, so latency says nothing yet. */
  isWarmingUp: boolean
}

export type CheckVerdict = {
  verdict: 'worse' | 'not-worse' | 'watching' | 'no-data'
  logE: number
  /** Log evidence at which the check is decided. */
  threshold: number
  /** Why evidence that would suffice is not held against the candidate, or `null`. */
  excuse: string | null
}

export const newCheckState = (check: Check): CheckState => ({
  name: check.name,
  terms: [],
  boundMs: boundFrom(check),
  beside: { bad: 0, total: 0 },
  peakLogE: 0,
  crossedAt: null,
  sequential: check.kind === 'compare' ? newState() : null,
  burn: null,
  own: null,
})

function boundFrom(check: Check): number | null {
  if (check.kind === 'latency-limit') return check.boundMs
  return check.kind === 'burn-rate' ? check.slowerThanMs : null
}

/** Adds one batch. Batches may come in any order and at any weight. */
export function addBatch(check: Check, state: CheckState, batch: Batch, context: BatchContext): CheckState {
  if (batch.candidate.requests === 0 && batch.stable.requests === 0) return state
  if (check.kind === 'compare') return compared(check, state, batch, context)
  const frozen = prepared(check, state, batch, context)
  const terms = termsAfter(check, frozen, batch, context)
  const logE = logEvidence(terms)
  // Evidence counts where it stands now: what piled up in a shared outage is no evidence once the outage is over.
  const crossed = logE >= thresholdOf(check) && excuseOf(check, frozen, context.counted) === null
  return {
    ...frozen,
    terms,
    peakLogE: Math.max(state.peakLogE, logE),
    crossedAt: state.crossedAt ?? (crossed ? batch.at : null),
  }
}

function compared(
  check: Comparison,
  state: CheckState,
  batch: Batch,
  { dispersion, isWarmingUp }: BatchContext,
): CheckState {
  if (check.of === 'latency' && isWarmingUp) return state
  const metric = { ...check.metric, dispersion: dispersion[check.of] }
  const sequential = addComparison(metric, state.sequential ?? newState(), metricBatch(check, batch))
  const crossed = isWorse(metric, sequential, check.alpha)
  return {
    ...state,
    sequential,
    peakLogE: sequential.peak,
    crossedAt: state.crossedAt ?? (crossed ? batch.at : null),
  }
}

/** What the sequential engine compares of a batch. */
export const metricBatch = (
  check: Comparison,
  { candidate, stable }: Pick<Batch, 'candidate' | 'stable'>,
): MetricBatch => ({
  candidate: metricSide(check, candidate),
  stable: metricSide(check, stable),
})

function metricSide({ of }: Comparison, side: SideCounts): Side {
  if (of === 'errors') return { bad: side.errors, total: side.requests }
  const slower = COMPARED_BOUNDS_MS.map((boundMs) => countSlowerThan(side.latencyBuckets, boundMs))
  const all = [answeredBy(side), ...slower]
  return { counts: all.map((count, index) => count - (all[index + 1] ?? 0)) }
}

export function verdictOf(check: Check, state: CheckState, counted: Counted): CheckVerdict {
  const threshold = thresholdOf(check)
  if (isEmpty(check, state, counted)) return { verdict: 'no-data', logE: 0, threshold, excuse: null }
  if (check.kind === 'compare') {
    const { verdict } = comparisonOf(check, state)
    return { verdict, logE: state.peakLogE, threshold, excuse: null }
  }
  const suffices = logEvidence(state.terms) >= threshold && state.crossedAt === null
  const excuse = suffices ? excuseOf(check, state, counted) : null
  return { verdict: state.crossedAt === null ? 'watching' : 'worse', logE: state.peakLogE, threshold, excuse }
}

/** One that answers nothing at all is what a check of throughput looks for. */
const isEmpty = (check: Check, { own }: CheckState, { candidate }: Counted): boolean =>
  hasOwnCounts(check) ? own === null : candidate.requests === 0

/** Where a comparison stands, for verdict and explanation. */
export const comparisonOf = (check: Comparison, state: CheckState): Standing =>
  standingOf(check.metric, state.sequential ?? newState(), check.alpha, check.beta)

/** Log evidence as it stands after the last batch; the verdict of a comparison goes by the highest there was. */
export const evidenceNow = (check: Check, state: CheckState): number =>
  check.kind === 'compare'
    ? evidenceOf(check.metric, state.sequential ?? newState())
    : logEvidence(state.terms)

/** The sums for "not worse" as they stand, to tell later what was added since. */
export const fineOf = ({ sequential }: CheckState): number[] => sequential?.fine ?? []

/** Whether the batches since those sums, and they alone, rule out that the candidate is worse by what is to be noticed. */
export function isFineSince(check: Comparison, state: CheckState, since: readonly number[]): boolean {
  const added = fineOf(state).map((sum, index) => sum - (since[index] ?? 0))
  return weakest(check.metric, added) >= Math.log(1 / check.beta)
}

export const thresholdOf = (check: Check): number => Math.log(1 / check.alpha)

/** Requests on the bad side of a check, and all, for both versions; or what else it counts. */
export function countsOf(
  check: Check,
  { boundMs, own }: Pick<CheckState, 'boundMs' | 'own'>,
  { candidate, stable }: Counted,
): BothCounts {
  if (hasOwnCounts(check)) return own ?? NOTHING
  return { candidate: badOf(check, candidate, boundMs), stable: badOf(check, stable, boundMs) }
}

/** The same of one batch alone. */
export function countsIn(
  check: Check,
  { boundMs }: Pick<CheckState, 'boundMs'>,
  batch: Pick<Batch, 'candidate' | 'stable' | 'weightPermille' | 'crashes' | 'shadow'>,
): BothCounts {
  return countsOf(check, { boundMs, own: ownCounts(check, batch) }, batch)
}

type BothCounts = { candidate: SideCount; stable: SideCount }
const NOTHING: BothCounts = { candidate: { bad: 0, total: 0 }, stable: { bad: 0, total: 0 } }

export const hasOwnCounts = (check: Check): check is OwnCounting =>
  check.kind === 'throughput' || check.kind === 'crashes' || check.kind === 'differing'
type OwnCounting = Extract<Check, { kind: 'throughput' | 'crashes' | 'differing' }>

function ownCounts(check: Check, batch: Parameters<typeof countsIn>[2]): BothCounts | null {
  if (!hasOwnCounts(check)) return null
  if (check.kind === 'differing') {
    const differing = differingIn(batch)
    return differing === null ? null : { candidate: differing, stable: { bad: 0, total: 0 } }
  }
  return check.kind === 'throughput' ? answeredOfDue(batch) : crashesIn(batch)
}

/** Nobody records how crashes, shares of traffic and differing answers vary by themselves. */
export const UNRECORDED_SPREAD = 2

/** By what the evidence of a check is divided. */
export function spreadOf(check: Check, { errors, latency }: BatchContext['dispersion']): number {
  if (hasOwnCounts(check)) return Math.max(UNRECORDED_SPREAD, errors)
  return isAboutErrors(check) ? errors : latency
}

/** What one batch says, one term per alternative; nothing where it cannot be judged. */
function ownTerms(check: OwnCounting, batch: Batch, by: number): number[] {
  if (check.kind === 'crashes') {
    const rates = comparedCrashes(batch)
    return rates === null ? [] : crashTerms(check, rates).map((term) => term / by)
  }
  if (check.kind === 'differing') {
    const differing = differingIn(batch)
    return differing === null ? [] : differingTerms(check, differing).map((term) => term / by)
  }
  const answered = answeredIn(batch)
  return answered === null ? [] : tooFewTerms(check, answered, { batch, by })
}

/** What so many answers in the time of this batch say. */
export function tooFewTerms(
  check: ThroughputLimit,
  answered: Answered,
  { batch, by }: { batch: Batch; by: number },
): number[] {
  const most = mostOfOneBatch(check, batch)
  return throughputTerms(check, answered).map((term) => Math.min(most, term / by))
}

function termsAfter(
  check: Guard,
  state: CheckState,
  batch: Batch,
  { dispersion, isWarmingUp }: BatchContext,
): number[] {
  // Requests are counted when they are answered: a new share shows only once those from before it are through.
  if (check.kind === 'throughput' && isWarmingUp) return state.terms
  const by = spreadOf(check, dispersion)
  const added = (terms: readonly number[]): number[] =>
    terms.length === 0 ? state.terms : terms.map((term, index) => term + (state.terms[index] ?? 0))
  if (check.kind === 'burn-rate') return state.burn === null ? [] : [burnEvidence(check, state.burn, by)]
  if (hasOwnCounts(check)) return added(ownTerms(check, batch, by))
  const { candidate, stable } = countsIn(check, state, batch)
  if (isShareLimit(check))
    return isPrepared(check, state) ? added(limitTerms(check, candidate, { batch, by })) : state.terms
  const tolerance = { ratio: 1, share: check.points / 100 }
  return added(logTermsAgainstStable({ candidate, stable }, tolerance).map((term) => term / by))
}

const isPrepared = (check: ShareLimit, { boundMs }: CheckState): boolean =>
  check.kind !== 'latency-over-stable' || boundMs !== null

/** What one batch says against a limit, one term per alternative. */
export function limitTerms(
  check: ShareLimit,
  candidate: SideCount,
  { batch, by }: { batch: Batch; by: number },
): number[] {
  const most = mostOfOneBatch(check, batch)
  return logTermsAgainstLimit(candidate, limitShareOf(check)).map((term) => Math.min(most, term / by))
}

/** Slow requests come together: what stalls for a moment, be it the machine, slows all that were under way. */
const LEAST_SLOW_BATCHES = 5
/** Without stable beside it nothing tells a moment of trouble from a bad version. */
const LEAST_LONELY_BATCHES = 3

/**
 * What one batch may say against the candidate, so that a limit takes several bad batches. What is above is cut off: less
 * evidence is still evidence, and the false-alarm budget holds.
 */
function mostOfOneBatch(check: ShareLimit | ThroughputLimit, { stable, sinceAt, at }: Batch): number {
  if ('overMs' in check && check.overMs !== undefined) {
    const share = Math.max(0, at - sinceAt) / check.overMs
    return thresholdOf(check) * Math.min(share, 1 / LEAST_SLOW_BATCHES)
  }
  if (!isAboutErrors(check)) return thresholdOf(check) / LEAST_SLOW_BATCHES
  return stable.requests === 0 ? thresholdOf(check) / LEAST_LONELY_BATCHES : Number.POSITIVE_INFINITY
}

export const isAboutErrors = (check: Check): boolean =>
  check.kind === 'error-limit' ||
  check.kind === 'errors-over-stable' ||
  (check.kind === 'burn-rate' && check.slowerThanMs === null) ||
  (check.kind === 'compare' && check.of === 'errors')

function badOf(check: Check, side: SideCounts, boundMs: number | null): SideCount {
  if (isAboutErrors(check)) return { bad: side.errors, total: side.requests }
  const bad = boundMs === null ? 0 : countSlowerThan(side.latencyBuckets, boundMs)
  return { bad, total: answeredBy(side) }
}

/** Averages of e-processes are e-processes; the maximum would not be one. */
const logEvidence = (terms: readonly number[]): number => (terms.length === 0 ? 0 : logMeanExp(terms))

/** What has to be there before the evidence is worked out: a bound, or the windows with this batch. */
function prepared(
  check: Guard,
  state: CheckState,
  batch: Batch,
  { counted, isWarmingUp }: BatchContext,
): CheckState {
  if (hasOwnCounts(check)) return withOwn(check, state, { batch, isWarmingUp })
  if (check.kind !== 'burn-rate') return withBeside(check, freezeBound(check, state, counted), batch)
  const { sinceAt, at } = batch
  return { ...state, burn: addToBurn(check, state.burn, { ...countsIn(check, state, batch), sinceAt, at }) }
}

type InBatch = Pick<BatchContext, 'isWarmingUp'> & { batch: Batch }

function withOwn(check: OwnCounting, state: CheckState, { batch, isWarmingUp }: InBatch): CheckState {
  const counts = check.kind === 'throughput' && isWarmingUp ? null : ownCounts(check, batch)
  if (counts === null) return state
  const sum = (a: SideCount, b: SideCount): SideCount => ({ bad: a.bad + b.bad, total: a.total + b.total })
  const { candidate, stable } = state.own ?? NOTHING
  return {
    ...state,
    own: { candidate: sum(candidate, counts.candidate), stable: sum(stable, counts.stable) },
  }
}

/**
 * Each share of stable counts as often as the candidate had requests in the same batch. Plain sums would not do: with a
 * weight that grew, most of stable's requests are from before a trouble that both share, and most of the candidate's not.
 */
function withBeside(check: Guard, state: CheckState, batch: Batch): CheckState {
  const { candidate, stable } = countsIn(check, state, batch)
  if (stable.total === 0 || (!isAboutErrors(check) && state.boundMs === null)) return state
  const bad = state.beside.bad + (candidate.total * stable.bad) / stable.total
  return { ...state, beside: { bad, total: state.beside.total + candidate.total } }
}

/** The bound of "p95 over N times stable's" is chosen once from stable's requests before it judges any of the candidate's. */
function freezeBound(check: Guard, state: CheckState, { stable }: Counted): CheckState {
  if (check.kind !== 'latency-over-stable' || state.boundMs !== null) return state
  if (answeredBy(stable) < MIN_STABLE_REQUESTS) return state
  const p95 = quantileMs(stable.latencyBuckets, 0.95) ?? 0
  const bound = LATENCY_BOUNDS_MS.find((candidate) => candidate >= p95 * check.times)
  return bound === undefined ? state : { ...state, boundMs: bound }
}

/**
 * An absolute limit that stable breaches in the same time cannot tell the versions apart: a shared outage, or a
 * service that was always like this. The comparison with stable still judges.
 */
function excuseOf(check: Guard, state: CheckState, counted: Counted): string | null {
  if (check.kind === 'burn-rate') return excuseOfBurn(check, state)
  if (!isShareLimit(check)) return null
  const { stable } = countsOf(check, state, counted)
  if (stable.total < MIN_STABLE_REQUESTS) return null
  if (state.beside.bad <= limitShareOf(check) * state.beside.total) return null
  return 'stable breaches this limit at the same time, so it does not tell the versions apart'
}

function excuseOfBurn(check: BurnLimit, { burn }: CheckState): string | null {
  switch (burnExcuse(check, burn)) {
    case 'too-early':
      return `less than ${formatDuration(check.shortMs)} were counted, so this is not judged yet`
    case 'shared':
      return 'stable burns it as fast at the same time, so it does not tell the versions apart'
    case null:
      return null
  }
}
