import * as z from 'zod'
import { LATENCY_ALTERNATIVES, logMeanExp, logTermsAgainstStable } from '../e-process.ts'

/** Evidence that the candidate gets another share of the requests than it should; two tests, too few and too many. */
export const SampleRatioState = z.object({
  tooMany: z.array(z.number()),
  tooFew: z.array(z.number()),
  /** Highest log evidence of each so far. */
  peakMany: z.number(),
  peakFew: z.number(),
})
export type SampleRatioState = z.infer<typeof SampleRatioState>

export type SampleRatioVerdict = {
  verdict: 'as-planned' | 'too-many' | 'too-few'
  logEvalue: number
  threshold: number
  pValue: number
}

export const newSampleRatio = (): SampleRatioState => ({
  tooMany: [],
  tooFew: [],
  peakMany: 0,
  peakFew: 0,
})

/**
 * Given that a batch had so many requests, each goes to the candidate with its planned share, whatever the traffic does
 * (Lindon & Malek 2022). That is the comparison of counts with the planned shares as exposures, batch by batch, so the
 * weight may change between batches. An exact split only makes false alarms rarer.
 *
 * @param plannedShare 0 to 1, without the ends: at 0% and 100% there is nothing to compare.
 */
export function addRequests(
  state: SampleRatioState,
  { candidate, stable }: { candidate: number; stable: number },
  plannedShare: number,
): SampleRatioState {
  if (plannedShare <= 0 || plannedShare >= 1 || candidate + stable === 0) return state
  const ours = { bad: candidate, total: plannedShare }
  const theirs = { bad: stable, total: 1 - plannedShare }
  const tooMany = added(state.tooMany, termsOf({ candidate: ours, stable: theirs }))
  const tooFew = added(state.tooFew, termsOf({ candidate: theirs, stable: ours }))
  return {
    tooMany,
    tooFew,
    peakMany: Math.max(state.peakMany, logMeanExp(tooMany)),
    peakFew: Math.max(state.peakFew, logMeanExp(tooFew)),
  }
}

/** Each side has half of the budget. A finding is final. */
export function sampleRatioVerdict(state: SampleRatioState, alpha: number): SampleRatioVerdict {
  const threshold = Math.log(2 / alpha)
  const peak = Math.max(state.peakMany, state.peakFew)
  const found = state.peakMany > state.peakFew ? 'too-many' : 'too-few'
  return {
    verdict: peak >= threshold ? found : 'as-planned',
    logEvalue: Math.max(evidenceOf(state.tooMany), evidenceOf(state.tooFew)),
    threshold,
    pValue: Math.min(1, 2 * Math.exp(-peak)),
  }
}

const evidenceOf = (sums: readonly number[]): number => (sums.length === 0 ? 0 : logMeanExp(sums))

type Pair = Parameters<typeof logTermsAgainstStable>[0]

const termsOf = (pair: Pair): number[] =>
  logTermsAgainstStable(pair, { ratio: 1, share: 0 }, LATENCY_ALTERNATIVES)

const added = (sums: readonly number[], terms: readonly number[]): number[] =>
  terms.map((term, index) => (sums[index] ?? 0) + term)
