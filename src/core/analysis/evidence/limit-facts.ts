import { limitShareOf, type ShareLimit } from '../check.ts'
import {
  ALTERNATIVES,
  logMeanExp,
  logTermsAgainstLimit,
  lowerBoundOfRate,
  type SideCount,
} from '../e-process.ts'
import { countsOf, isAboutErrors, limitTerms, thresholdOf } from '../judge.ts'
import { edge } from '../sequential/search.ts'
import type { Facts } from './evidence.ts'
import { type Judged, type Look, peakOf } from './trail.ts'

type JudgedLimit = Judged & { check: ShareLimit }

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
    passing: passingLimit(judged, used),
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

/** The share of the candidate, the same all the time, up to which as many requests would have passed after every batch. */
function passingLimit(judged: JudgedLimit, looks: readonly Look[]): number | null {
  const course = courseOf(judged, looks)
  if (course.caps.length === 0) return null
  const threshold = thresholdOf(judged.check)
  const passes = (share: number): boolean => neverReaches(course, share, threshold)
  return passes(1) ? 1 : edge(0, 1, passes)
}

/**
 * What each batch adds for every alternative: without a bad one, for each unit of their share, and at most. A long rollout is
 * gone through dozens of times, so all that does not depend on the share is worked out once.
 */
type Course = { fixed: Float64Array; slope: Float64Array; caps: readonly number[] }

function courseOf(judged: JudgedLimit, looks: readonly Look[]): Course {
  const { check, state } = judged
  const limitShare = limitShareOf(check)
  const fixed: number[] = []
  const slope: number[] = []
  const caps: number[] = []
  for (const look of looks) {
    const { total } = countsOf(check, state, look.batch).candidate
    if (total === 0) continue
    const one = { batch: look.batch, by: dispersionIn(judged, look) }
    fixed.push(...limitTerms(check, { bad: 0, total }, one))
    slope.push(...logTermsAgainstLimit({ bad: total, total: 0 }, limitShare).map((term) => term / one.by))
    caps.push(Math.max(...limitTerms(check, { bad: Number.POSITIVE_INFINITY, total }, one)))
  }
  return { fixed: Float64Array.from(fixed), slope: Float64Array.from(slope), caps }
}

function neverReaches({ fixed, slope, caps }: Course, share: number, threshold: number): boolean {
  const size = ALTERNATIVES.length
  const sums = new Array<number>(size).fill(0)
  return caps.every((cap, row) => {
    let most = Number.NEGATIVE_INFINITY
    for (let column = 0; column < size; column += 1) {
      const at = row * size + column
      const sum = (sums[column] ?? 0) + Math.min(cap, (fixed[at] ?? 0) + share * (slope[at] ?? 0))
      sums[column] = sum
      if (sum > most) most = sum
    }
    // An average is never above its highest term.
    return most < threshold || logMeanExp(sums) < threshold
  })
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
