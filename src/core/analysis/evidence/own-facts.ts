import type { CrashComparison, DifferingLimit, ThroughputLimit } from '../check.ts'
import { comparedCrashes, crashMetric } from '../crashes.ts'
import { differingIn, differingTerms } from '../differing.ts'
import { logMeanExp } from '../e-process.ts'
import { spreadOf, thresholdOf, tooFewTerms } from '../judge.ts'
import { momentOf } from '../sequential/decisive-moment.ts'
import { lowerBounds } from '../sequential/lower-bounds.ts'
import { edge } from '../sequential/search.ts'
import { answeredIn, answeredOfDue } from '../throughput.ts'
import type { Facts } from './evidence.ts'
import { type Judged, type Look, peakOf } from './trail.ts'

const NOTHING_AT_LEAST: Facts['atLeast'] = { ratio: null, points: null, share: null }

/** Of a check that asks whether the candidate answers too little of what is due. */
export function throughputFacts(check: ThroughputLimit, used: readonly Look[]): Facts {
  return {
    boundMs: null,
    limitShare: check.leastShare,
    atLeast: NOTHING_AT_LEAST,
    passing: used.length === 0 ? null : passingPart(check, used),
    needed: { what: 'one that answers too little', toNotice: null, toRuleOut: null },
    leastNoticed: null,
  }
}

/** The part of what was due, the same all the time, from which on it would never have been too little. */
function passingPart(check: ThroughputLimit, used: readonly Look[]): number | null {
  const threshold = thresholdOf(check)
  const passes = (part: number): boolean => {
    let sums: number[] = []
    return used.every((look) => {
      const answered = answeredIn(look.batch)
      if (answered === null) return true
      const due = answeredOfDue(look.batch)?.candidate.total ?? 0
      const by = dividedIn(check, look)
      const terms = tooFewTerms(check, { ...answered, candidate: part * due }, { batch: look.batch, by })
      sums = terms.map((term, index) => term + (sums[index] ?? 0))
      return sums.length === 0 || logMeanExp(sums) < threshold
    })
  }
  if (passes(0)) return 0
  return passes(1) ? edge(1, 0, passes) : null
}

const dividedIn = (
  check: ThroughputLimit | CrashComparison | DifferingLimit,
  { dispersions }: Look,
): number => spreadOf(check, { errors: dispersions.errors.phi, latency: dispersions.latency.phi })

/** Of crashes beside those of stable. */
export function crashFacts(
  check: CrashComparison,
  { state, index }: Pick<Judged, 'state' | 'index'>,
  used: readonly Look[],
): Facts {
  const metric = crashMetric(check)
  const deciding = state.crossedAt === null ? used : used.slice(0, peakOf(index, used) + 1)
  const batches = deciding.flatMap((look) => {
    const rates = comparedCrashes(look.batch)
    return rates === null ? [] : [{ ...rates, dispersion: dividedIn(check, look) }]
  })
  const moment = momentOf(metric, batches)
  const isShown = moment.cells.length > 0 && state.peakLogE > 0
  const ratio = isShown ? lowerBounds(metric, moment, check.alpha).ratio : null
  return {
    boundMs: null,
    limitShare: null,
    atLeast: { ...NOTHING_AT_LEAST, ratio },
    passing: null,
    needed: { what: 'one that crashes more', toNotice: null, toRuleOut: null },
    leastNoticed: null,
  }
}

/** Of answers of a shadow that are not what users got. */
export function differingFacts(check: DifferingLimit, used: readonly Look[]): Facts {
  return {
    boundMs: null,
    limitShare: check.limitShare,
    atLeast: NOTHING_AT_LEAST,
    passing: used.length === 0 ? null : differingThatPasses(check, used),
    needed: { what: 'one that answers otherwise', toNotice: null, toRuleOut: null },
    leastNoticed: null,
  }
}

/** The share, the same all the time, up to which it would never have been too much. */
function differingThatPasses(check: DifferingLimit, used: readonly Look[]): number | null {
  const threshold = thresholdOf(check)
  const passes = (share: number): boolean => {
    let sums: number[] = []
    return used.every((look) => {
      const { total } = differingIn(look.batch) ?? { total: 0 }
      const by = dividedIn(check, look)
      sums = differingTerms(check, { bad: share * total, total }).map(
        (term, index) => term / by + (sums[index] ?? 0),
      )
      return logMeanExp(sums) < threshold
    })
  }
  if (passes(1)) return 1
  return passes(0) ? edge(0, 1, passes) : null
}
