import { type Check, P95_SLOW_SHARE, P99_SLOW_SHARE } from '../check.ts'
import {
  ALTERNATIVES,
  logMeanExp,
  logTermsAgainstLimit,
  lowerBoundOfRate,
  type SideCount,
} from '../e-process.ts'
import { countsOf, isAboutErrors, thresholdOf } from '../judge.ts'
import type { Facts } from './evidence.ts'
import { type Judged, type Look, peakOf } from './trail.ts'

type Limit = Extract<Check, { kind: 'error-limit' | 'latency-limit' | 'latency-over-stable' }>
type JudgedLimit = Judged & { check: Limit }

const ROUNDS = 50
/** What is looked ahead for: a candidate at this many times the limit. */
const TIMES_LIMIT = 2

/** Of a check that asks whether a share of the candidate's requests is above a limit, whatever stable does. */
export function limitFacts(judged: JudgedLimit, used: readonly Look[], phi: number): Facts {
  const { check, state } = judged
  const limitShare = limitShareOf(check)
  const decisive = countedAtPeak(judged, used)
  return {
    boundMs: isAboutErrors(check) ? null : state.boundMs,
    limitShare,
    atLeast: { ratio: null, points: null, share: lowerBoundOfRate(decisive, check.alpha) },
    passing: passingLimit(check, decisive.total),
    needed: {
      what: `one at ${TIMES_LIMIT} times the limit`,
      toNotice: used.length === 0 ? null : toNotice(judged, phi),
      toRuleOut: null,
    },
    leastNoticed: null,
  }
}

function limitShareOf(check: Limit): number {
  switch (check.kind) {
    case 'error-limit':
      return check.limitShare
    case 'latency-limit':
      return P99_SLOW_SHARE
    case 'latency-over-stable':
      return P95_SLOW_SHARE
    default:
      return check satisfies never
  }
}

/**
 * What was counted up to the highest evidence, each batch divided by its dispersion, as its evidence was. What is shown
 * of that moment holds however it was chosen, since the evidence is valid at all times together.
 */
function countedAtPeak({ check, state, index }: JudgedLimit, used: readonly Look[]): SideCount {
  const last = state.peakLogE > 0 ? peakOf(index, used) : used.length - 1
  return used.slice(0, last + 1).reduce(
    (sum, { batch, dispersions }) => {
      const by = (isAboutErrors(check) ? dispersions.errors : dispersions.latency).phi
      const { bad, total } = countsOf(check, state, batch).candidate
      return { bad: sum.bad + bad / by, total: sum.total + total / by }
    },
    { bad: 0, total: 0 },
  )
}

/** The share of the candidate, the same all the time, up to which as many requests would have passed. */
function passingLimit(check: Limit, total: number): number | null {
  if (total === 0) return null
  const passes = (share: number): boolean =>
    logMeanExp(logTermsAgainstLimit({ bad: share * total, total }, limitShareOf(check))) < thresholdOf(check)
  if (passes(1)) return 1
  let inside = 0
  let outside = 1
  for (let round = 0; round < ROUNDS; round += 1) {
    const middle = (inside + outside) / 2
    if (passes(middle)) inside = middle
    else outside = middle
  }
  return inside
}

/** From the growth of the evidence for each request, with the alternative that is through first. */
function toNotice({ check, state }: JudgedLimit, phi: number): number | null {
  const limitShare = limitShareOf(check)
  const bad = Math.min(1, TIMES_LIMIT * limitShare)
  const needed = thresholdOf(check) + Math.log(ALTERNATIVES.length)
  const requests = logTermsAgainstLimit({ bad, total: 1 }, limitShare).flatMap((term, index) => {
    const left = Math.max(0, needed - (state.terms[index] ?? 0))
    return term > 0 ? [Math.ceil((left * phi) / term)] : []
  })
  return requests.length === 0 ? null : Math.min(...requests)
}
