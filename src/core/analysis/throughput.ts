import { answersOf, type Batch } from './batch.ts'
import type { ThroughputLimit } from './check.ts'
import type { SideCount } from './e-process.ts'
import { addRequests, newSampleRatio } from './sequential/sample-ratio.ts'

const ALL = 1000

type Counts = Pick<Batch, 'candidate' | 'stable' | 'weightPermille'>

/** Answers of both versions in a batch, and the candidate's share in it. */
export type Answered = { candidate: number; stable: number; weight: number }

/**
 * Complete answers only: a client that gave up waiting is no answer. `null` where the weight was changed in the batch, or
 * one version has all traffic: nothing tells then what was due.
 */
export const answeredIn = ({ candidate, stable, weightPermille: weight }: Counts): Answered | null =>
  weight === undefined || weight === 0 || weight === ALL
    ? null
    : { ...answersOf({ candidate, stable }), weight }

/** Answered of what was due: for the candidate by its weight and by what stable answered in the same time, all of which was due. */
export function answeredOfDue(batch: Counts): { candidate: SideCount; stable: SideCount } | null {
  const answered = answeredIn(batch)
  if (answered === null) return null
  const { candidate, stable, weight } = answered
  const due = (stable * weight) / (ALL - weight)
  return { candidate: { bad: candidate, total: due }, stable: { bad: stable, total: stable } }
}

/**
 * Evidence that the candidate answers less than its least share of what is due, one term per alternative: given how many
 * requests were answered by both, one that answers just its least share has this part of them. The part belongs to the
 * weight of the batch.
 *
 * @example throughputTerms({ leastShare: 0.5 }, { candidate: 20, stable: 100, weight: 500 }) // against 1 of 3 requests
 */
export function throughputTerms(
  { leastShare }: Pick<ThroughputLimit, 'leastShare'>,
  { weight, ...counts }: Answered,
): number[] {
  const least = leastShare * weight
  return addRequests(newSampleRatio(), counts, least / (ALL - weight + least)).tooFew
}
