import * as z from 'zod'
import { logMeanExp, logTermsOfEach, type Tolerance } from '../e-process.ts'
import { addSides, type Batch, Side, sizeOf } from './batch.ts'
import type { Metric } from './metric.ts'
import {
  betterAlternatives,
  directionsOf,
  noticeOf,
  type Pair,
  questionsOf,
  toleranceOf,
  worseAlternatives,
} from './question.ts'

/**
 * All that a metric remembers: for each direction, bucket bound and alternative one sum (13 numbers for a ratio), and
 * what was counted, for people. It survives a round trip through JSON bit for bit.
 */
export const SequentialState = z.object({
  /** Log evidence for "worse", and for "not as much worse as is to be noticed". */
  worse: z.array(z.number()),
  fine: z.array(z.number()),
  /** `null` before the first batch. */
  counted: z.object({ candidate: Side, stable: Side }).nullable(),
  batches: z.int().nonnegative(),
  /** Batches that had both versions. Without one there is nothing to compare. */
  compared: z.int().nonnegative(),
  /** Highest log evidence for "worse" after any batch; evidence of nothing is 0. */
  peak: z.number(),
})
export type SequentialState = z.infer<typeof SequentialState>

export const Verdict = z.enum(['worse', 'not-worse', 'watching', 'no-data'])
export type Verdict = z.infer<typeof Verdict>

/** Evidence as it stands. Logarithms are natural. */
export type Standing = {
  verdict: Verdict
  /** Evidence for "worse" after the last batch, and the threshold that it must have reached at any time. */
  logEvalue: number
  threshold: number
  /** Valid however often one looked: from the highest evidence so far. */
  pValue: number
  /** Evidence against "worse by what is to be noticed", and what it must be now. */
  logFine: number
  fineThreshold: number
}

export const newState = (): SequentialState => ({
  worse: [],
  fine: [],
  counted: null,
  batches: 0,
  compared: 0,
  peak: 0,
})

/**
 * Adds one batch. Batches may come in any order and at any weight; they are never pooled first. A batch in which one
 * version had no request says nothing. The dispersion may differ from batch to batch if it was known before the batch.
 *
 * @example addBatch(metric, newState(), { candidate: { bad: 3, total: 1000 }, stable: { bad: 1, total: 1000 } })
 */
export function addBatch(metric: Metric, state: SequentialState, batch: Batch): SequentialState {
  const counted =
    state.counted === null
      ? { candidate: batch.candidate, stable: batch.stable }
      : {
          candidate: addSides(state.counted.candidate, batch.candidate),
          stable: addSides(state.counted.stable, batch.stable),
        }
  const pairs = questionsOf(metric, batch).flat()
  const batches = state.batches + 1
  if (sizeOf(batch.candidate) === 0 || sizeOf(batch.stable) === 0) return { ...state, counted, batches }
  const worse = added(state.worse, termsOf(metric, pairs, toleranceOf(metric), worseAlternatives(metric)))
  const fine = added(state.fine, termsOf(metric, pairs, noticeOf(metric), betterAlternatives(metric)))
  const peak = Math.max(state.peak, strongest(metric, worse))
  return { worse, fine, counted, batches, compared: state.compared + 1, peak }
}

/**
 * The verdict on what was counted so far. `worse` is final: the evidence crossed its threshold at some time, which
 * happens with probability at most `alpha` while the candidate is within the tolerance. `not-worse` is the evidence of
 * now: a candidate that is worse by what is to be noticed gets it with probability at most `beta`.
 */
export function verdictOf(
  metric: Metric,
  state: SequentialState,
  alpha: number,
  beta: number = alpha,
): Standing {
  const directions = directionsOf(metric)
  const standing = {
    logEvalue: strongest(metric, state.worse),
    threshold: Math.log(directions / alpha),
    pValue: Math.min(1, directions * Math.exp(-state.peak)),
    logFine: weakest(metric, state.fine),
    fineThreshold: Math.log(1 / beta),
  }
  return { verdict: decided(state, standing), ...standing }
}

/** Whether the verdict is `worse`, without the rest of it: every batch asks. */
export const isWorse = (metric: Metric, { compared, peak }: SequentialState, alpha: number): boolean =>
  compared > 0 && peak >= Math.log(directionsOf(metric) / alpha)

/** Log evidence for "worse" after the last batch, without the rest of the verdict. */
export const evidenceOf = (metric: Metric, { worse }: SequentialState): number => strongest(metric, worse)

function decided(state: SequentialState, standing: Omit<Standing, 'verdict'>): Verdict {
  if (state.compared === 0) return 'no-data'
  if (state.peak >= standing.threshold) return 'worse'
  return standing.logFine >= standing.fineThreshold ? 'not-worse' : 'watching'
}

function termsOf(
  { dispersion }: Metric,
  pairs: readonly Pair[],
  tolerance: Tolerance,
  alternatives: readonly number[],
): number[] {
  // The counts of a batch divided by the dispersion: its split stays as it is, so the terms are divided.
  return logTermsOfEach(pairs, tolerance, alternatives).map((term) => term / dispersion)
}

const added = (sums: readonly number[], terms: readonly number[]): number[] =>
  terms.map((term, index) => (sums[index] ?? 0) + term)

/** Each direction is a test of its own. Inside of it bounds and alternatives are averaged: their maximum is no e-process. */
function strongest(metric: Metric, terms: readonly number[]): number {
  return Math.max(...logEvidences(terms, directionsOf(metric)))
}

/**
 * "Not worse" has to be shown in every direction and at every bound, so the weakest decides, without any correction. The sums
 * may be those of some batches alone: what was added since a moment is evidence of its own.
 */
export function weakest(metric: Metric, terms: readonly number[]): number {
  const bounds = metric.kind === 'histogram' ? metric.bounds.length : directionsOf(metric)
  return Math.min(...logEvidences(terms, bounds))
}

/** Log evidence of each of so many parts of equal length. */
export function logEvidences(terms: readonly number[], parts: number): number[] {
  if (terms.length === 0) return new Array<number>(parts).fill(0)
  const length = terms.length / parts
  return Array.from({ length: parts }, (_, part) => logMeanExp(terms, part * length, (part + 1) * length))
}
