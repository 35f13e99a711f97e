import type { StageCriteria } from '../release/settings.ts'
import { quantileMs } from '../shared/histogram.ts'
import type { SideCounts } from './batch.ts'

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
}

/**
 * Holds a stage until its criteria are met by what the candidate showed at this weight. When stable misses a
 * criterion in the same time, the candidate is not held for it.
 */
export function judgeCriteria(
  criteria: StageCriteria,
  sides: { candidate: SideCounts; stable: SideCounts },
  minRequests: number,
): Criterion[] {
  return measuresOf(criteria).map((measure) => judgeOne(measure, sides, minRequests))
}

function judgeOne(
  measure: Measure,
  { candidate, stable }: { candidate: SideCounts; stable: SideCounts },
  minRequests: number,
): Criterion {
  const show = (side: SideCounts): string =>
    side.requests === 0 ? 'no requests' : measure.format(measure.of(side))
  const shown = {
    name: measure.name,
    candidate: show(candidate),
    stable: show(stable),
    threshold: measure.threshold,
  }
  if (candidate.requests < minRequests) {
    const sentence = `${measure.name}: ${candidate.requests} of ${minRequests} requests needed for a verdict`
    return { ...shown, met: null, sentence }
  }
  if (measure.isMet(measure.of(candidate)))
    return { ...shown, met: true, sentence: `${measure.name} ${shown.candidate} meets ${measure.threshold}` }
  if (stable.requests >= minRequests && !measure.isMet(measure.of(stable)))
    return {
      ...shown,
      met: true,
      sentence: `${measure.name} ${shown.candidate} misses ${measure.threshold}, but so does stable with ${shown.stable}`,
    }
  return {
    ...shown,
    met: false,
    sentence: `${measure.name} ${shown.candidate} does not meet ${measure.threshold}`,
  }
}

function measuresOf(criteria: StageCriteria): Measure[] {
  const measures: Measure[] = []
  const { errorRatePercent, successRatePercent, p95Ms, p99Ms } = criteria
  if (errorRatePercent !== undefined)
    measures.push({
      name: 'error rate',
      threshold: `< ${errorRatePercent}%`,
      of: errorPercent,
      isMet: (value) => value < errorRatePercent,
      format: percent,
    })
  if (successRatePercent !== undefined)
    measures.push({
      name: 'success rate',
      threshold: `> ${successRatePercent}%`,
      of: (side) => 100 - errorPercent(side),
      isMet: (value) => value > successRatePercent,
      format: percent,
    })
  if (p95Ms !== undefined) measures.push(latencyMeasure('p95 latency', 0.95, p95Ms))
  if (p99Ms !== undefined) measures.push(latencyMeasure('p99 latency', 0.99, p99Ms))
  return measures
}

const latencyMeasure = (name: string, share: number, limitMs: number): Measure => ({
  name,
  threshold: `< ${limitMs} ms`,
  of: (side) => quantileMs(side.latencyBuckets, share) ?? 0,
  isMet: (value) => value < limitMs,
  format: (value) => `${Math.round(value)} ms`,
})

export const errorPercent = (side: SideCounts): number =>
  side.requests === 0 ? 0 : (100 * side.errors) / side.requests

export const percent = (value: number): string =>
  `${value.toFixed(value !== 0 && Math.abs(value) < 1 ? 2 : value > 99 && value < 100 ? 2 : 1)}%`
