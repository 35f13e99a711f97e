import { limitShareOf, type ShareLimit } from '../check.ts'
import {
  ALTERNATIVES,
  logMeanExp,
  logTermsAgainstLimit,
  lowerBoundOfRate,
  type SideCount,
} from '../e-process.ts'
import { countsOf, isAboutErrors, limitTerms, thresholdOf } from '../judge.ts'
import type { Facts } from './evidence.ts'
import { type Judged, type Look, peakOf } from './trail.ts'

type JudgedLimit = Judged & { check: ShareLimit }

const ROUNDS = 50
/** What is looked ahead for: a candidate at this many times the limit. */
const TIMES_LIMIT = 2

/** Of a check that asks whether a share of the candidate's requests is above a limit, whatever stable does. */
export function limitFacts(judged: JudgedLimit, used: readonly Look[], phi: number): Facts {
  const { check, state } = judged
  const limitShare = limitShareOf(check)
  const decisive = upToPeak(judged, used)
  return {
    boundMs: isAboutErrors(check) ? null : state.boundMs,
    limitShare,
    atLeast: { ratio: null, points: null, share: lowerBoundOfRate(countedIn(judged, decisive), check.alpha) },
    passing: passingLimit(judged, decisive),
    needed: {
      what: `one at ${TIMES_LIMIT} times the limit`,
      toNotice: used.length === 0 ? null : toNotice(judged, phi),
      toRuleOut: null,
    },
    leastNoticed: null,
  }
}

/** What is shown of the highest evidence holds however the moment was chosen: evidence is valid at all times together. */
const upToPeak = ({ state, index }: JudgedLimit, used: readonly Look[]): readonly Look[] =>
  used.slice(0, (state.peakLogE > 0 ? peakOf(index, used) : used.length - 1) + 1)

const dispersionIn = ({ check }: JudgedLimit, { dispersions }: Look): number =>
  (isAboutErrors(check) ? dispersions.errors : dispersions.latency).phi

/** Each batch divided by its dispersion, as its evidence was. */
function countedIn(judged: JudgedLimit, looks: readonly Look[]): SideCount {
  return looks.reduce(
    (sum, look) => {
      const by = dispersionIn(judged, look)
      const { bad, total } = countsOf(judged.check, judged.state, look.batch).candidate
      return { bad: sum.bad + bad / by, total: sum.total + total / by }
    },
    { bad: 0, total: 0 },
  )
}

/** The share of the candidate, the same all the time, up to which as many requests would have passed. */
function passingLimit(judged: JudgedLimit, looks: readonly Look[]): number | null {
  const { check, state } = judged
  const batches = looks.map((look) => ({
    batch: look.batch,
    by: dispersionIn(judged, look),
    total: countsOf(check, state, look.batch).candidate.total,
  }))
  if (batches.every(({ total }) => total === 0)) return null
  const passes = (share: number): boolean => {
    const terms = batches.map(({ total, ...one }) => limitTerms(check, { bad: share * total, total }, one))
    const sums = ALTERNATIVES.map((_, index) => terms.reduce((sum, one) => sum + (one[index] ?? 0), 0))
    return logMeanExp(sums) < thresholdOf(check)
  }
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
