import type { StageCriteria } from '../release/strategy-settings.ts'
import { quantileMs } from '../shared/histogram.ts'
import { answersOf, type SideCounts } from './batch.ts'
import { logMeanExp } from './e-process.ts'
import { addRequests, newSampleRatio } from './sequential/sample-ratio.ts'

export type Criterion = {
  name: string
  /** `null`: too few requests to tell. */
  met: boolean | null
  candidate: string
  stable: string
  threshold: string
  sentence: string
}

type Measure = {
  name: string
  threshold: string
  of: (side: SideCounts) => number
  isMet: (value: number) => boolean
  format: (value: number) => string
  /** The more, the worse. */
  badness: (side: SideCounts) => number
  /** Where stable misses the criterion too, the candidate may be so many times as bad. */
  excusedTimes: number
}

/** So much may come by chance between two versions that are alike; more is for people to look at. */
const EXCUSED_TIMES = { errors: 2, latency: 1.5 }

/**
 * Holds a stage until its criteria are met by what the candidate showed at this weight. When stable misses a
 * criterion in the same time, the candidate is not held for it, unless it misses it by far more.
 */
export function judgeCriteria(
  criteria: StageCriteria,
  sides: Sides,
  { minRequests, weightPermille }: Asked,
): Criterion[] {
  const againstStable = [
    overStable(criteria, sides, minRequests),
    throughput(criteria, sides, { minRequests, weightPermille }),
  ]
  return [
    ...measuresOf(criteria).map((measure) => judgeOne(measure, sides, minRequests)),
    ...againstStable.filter((one) => one !== null),
  ]
}

type Sides = { candidate: SideCounts; stable: SideCounts }
/** Fewer requests than `minRequests` are no verdict; `weightPermille` is the share of the candidate in this stage. */
type Asked = { minRequests: number; weightPermille: number }

function judgeOne(measure: Measure, { candidate, stable }: Sides, minRequests: number): Criterion {
  const show = (side: SideCounts): string =>
    side.requests === 0 ? 'no requests' : measure.format(measure.of(side))
  const shown = {
    name: measure.name,
    candidate: show(candidate),
    stable: show(stable),
    threshold: measure.threshold,
  }
  if (candidate.requests < minRequests) return tooFew(shown, candidate.requests, minRequests)
  if (measure.isMet(measure.of(candidate)))
    return { ...shown, met: true, sentence: `${measure.name} ${shown.candidate} meets ${measure.threshold}` }
  const isShared = stable.requests >= minRequests && !measure.isMet(measure.of(stable))
  const { badness, excusedTimes } = measure
  if (isShared && badness(candidate) <= excusedTimes * badness(stable))
    return {
      ...shown,
      met: true,
      sentence: `${measure.name} ${shown.candidate} misses ${measure.threshold}, but so does stable with ${shown.stable}`,
    }
  const byFar = isShared ? `; stable with ${shown.stable} does not either, but by far less` : ''
  return {
    ...shown,
    met: false,
    sentence: `${measure.name} ${shown.candidate} does not meet ${measure.threshold}${byFar}`,
  }
}

type Shown = Omit<Criterion, 'met' | 'sentence'>

const tooFew = (shown: Shown, requests: number, minRequests: number): Criterion => ({
  ...shown,
  met: null,
  sentence: `${shown.name}: ${requests} of ${minRequests} requests needed for a verdict`,
})

/** Both sides are needed, so stable cannot excuse anything: it is in the measure already. */
function overStable(
  { errorPointsOverStable: points }: StageCriteria,
  { candidate, stable }: Sides,
  minRequests: number,
): Criterion | null {
  if (points === undefined) return null
  const name = 'errors over stable'
  const [ours, theirs] = [errorPercent(candidate), errorPercent(stable)]
  const shown = {
    name,
    candidate: candidate.requests === 0 ? 'no requests' : percent(ours),
    stable: stable.requests === 0 ? 'no requests' : percent(theirs),
    threshold: `<= stable + ${points} points`,
  }
  const fewest = Math.min(candidate.requests, stable.requests)
  if (fewest < minRequests) return tooFew(shown, fewest, minRequests)
  const met = ours <= theirs + points
  return {
    ...shown,
    met,
    sentence: `${name}: ${shown.candidate} against ${shown.stable} ${met ? 'meets' : 'does not meet'} ${shown.threshold}`,
  }
}

/**
 * What the candidate answered of the requests that are due by its weight. One that hangs, or is not reached, answers fewer,
 * and has no error to show for it.
 */
function throughput(
  { throughputPercent }: StageCriteria,
  { candidate, stable }: Sides,
  { minRequests, weightPermille }: Asked,
): Criterion | null {
  if (throughputPercent === undefined) return null
  const { candidate: ours, stable: theirs } = answersOf({ candidate, stable })
  const all = ours + theirs
  const due = (all * weightPermille) / 1000
  const name = 'throughput'
  const of = (requests: number, share: number): string =>
    all === 0 ? 'no requests' : `${requests} of ${Math.round(share)} requests due`
  const shown = {
    name,
    candidate: of(ours, due),
    stable: of(theirs, all - due),
    threshold: `>= ${throughputPercent}% of its share`,
  }
  if (due < minRequests) return tooFew(shown, Math.floor(due), minRequests)
  const met = 100 * ours >= throughputPercent * due
  const sentence = `${name}: ${shown.candidate} (${percent((100 * ours) / due)}) ${met ? 'meets' : 'does not meet'} ${shown.threshold}`
  return {
    ...shown,
    met,
    sentence: met ? sentence : `${sentence}${byChance({ candidate: ours, stable: theirs }, weightPermille)}`,
  }
}

/** How seldom so few would come by chance. */
function byChance(counts: { candidate: number; stable: number }, weightPermille: number): string {
  const { tooFew: terms } = addRequests(newSampleRatio(), counts, weightPermille / 1000)
  const oneIn = terms.length === 0 ? 1 : Math.floor(Math.min(1e9, Math.exp(logMeanExp(terms))))
  return oneIn <= 1
    ? ', which may be chance'
    : `; fewer than 1 in ${oneIn.toLocaleString('en-US')} stages would get so few by chance`
}

function measuresOf(criteria: StageCriteria): Measure[] {
  const measures: Measure[] = []
  const { errorRatePercent, successRatePercent, p50Ms, p95Ms, p99Ms } = criteria
  if (errorRatePercent !== undefined)
    measures.push({
      name: 'error rate',
      threshold: `< ${errorRatePercent}%`,
      of: errorPercent,
      isMet: (value) => value < errorRatePercent,
      format: percent,
      badness: errorPercent,
      excusedTimes: EXCUSED_TIMES.errors,
    })
  if (successRatePercent !== undefined)
    measures.push({
      name: 'success rate',
      threshold: `> ${successRatePercent}%`,
      of: (side) => 100 - errorPercent(side),
      isMet: (value) => value > successRatePercent,
      format: percent,
      badness: errorPercent,
      excusedTimes: EXCUSED_TIMES.errors,
    })
  if (p50Ms !== undefined) measures.push(latencyMeasure('p50 latency', 0.5, p50Ms))
  if (p95Ms !== undefined) measures.push(latencyMeasure('p95 latency', 0.95, p95Ms))
  if (p99Ms !== undefined) measures.push(latencyMeasure('p99 latency', 0.99, p99Ms))
  return measures
}

function latencyMeasure(name: string, share: number, limitMs: number): Measure {
  const of = (side: SideCounts): number => quantileMs(side.latencyBuckets, share) ?? 0
  return {
    name,
    threshold: `< ${limitMs} ms`,
    of,
    isMet: (value) => value < limitMs,
    format: (value) => `${Math.round(value)} ms`,
    badness: of,
    excusedTimes: EXCUSED_TIMES.latency,
  }
}

export const errorPercent = (side: SideCounts): number =>
  side.requests === 0 ? 0 : (100 * side.errors) / side.requests

export const percent = (value: number): string =>
  `${value.toFixed(value !== 0 && Math.abs(value) < 1 ? 2 : value > 99 && value < 100 ? 2 : 1)}%`
