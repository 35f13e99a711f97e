import * as z from 'zod'
import type { ErrorSignature } from '../shared/error-signature/report.ts'
import { logMeanExp, logTermsAgainstStable } from './e-process.ts'

/** Kinds that are followed in one rollout: whoever has read ten knows what is wrong. */
export const MOST_NEW_ERRORS = 10

/** A kind of error that the candidate wrote and stable did not. */
export const NewError = z.object({
  key: z.string(),
  template: z.string(),
  example: z.string(),
  firstAt: z.number(),
  lastAt: z.number(),
  /** How often the candidate wrote it since its set began. */
  count: z.int().nonnegative(),
  /** Counted from 1 in the order in which they were found: later ones have less of the false-alarm budget. */
  rank: z.int().positive(),
  /** Log evidence per alternative that the candidate writes it more often than stable does. */
  terms: z.array(z.number()),
  crossedAt: z.number().nullable(),
})
export type NewError = z.infer<typeof NewError>

/** How the work of one interval was split between the versions: requests, or instances. */
export const WorkSplit = z.object({ candidate: z.number().positive(), stable: z.number().positive() })
export type WorkSplit = z.infer<typeof WorkSplit>

export type NewErrorBound = { atLeast: number; alpha: number }

export const foundError = (key: string, said: ErrorSignature, rank: number): NewError => ({
  key,
  template: said.template,
  example: said.example,
  firstAt: said.firstAt,
  lastAt: said.lastAt,
  count: 0,
  rank,
  terms: [],
  crossedAt: null,
})

/**
 * Adds one interval in which the candidate wrote it. However often it did so in the interval counts once: one request that
 * fails may write a hundred lines. An interval without a split (stable did nothing) is no evidence.
 */
export function addSaying(
  error: NewError,
  said: Pick<ErrorSignature, 'count' | 'lastAt'>,
  { at, split, bound }: { at: number; split: WorkSplit | null; bound: NewErrorBound },
): NewError {
  const { count, lastAt } = said
  const more = split === null ? [] : termsOf(split)
  const terms = more.length === 0 ? error.terms : more.map((term, index) => term + (error.terms[index] ?? 0))
  const after = { ...error, count, lastAt, terms }
  const isShown = count >= bound.atLeast && logEvidenceOf(after) >= logThresholdOf(after, bound.alpha)
  return { ...after, crossedAt: error.crossedAt ?? (isShown ? at : null) }
}

const termsOf = ({ candidate, stable }: WorkSplit): number[] =>
  logTermsAgainstStable(
    { candidate: { bad: 1, total: candidate }, stable: { bad: 0, total: stable } },
    { ratio: 1, share: 0 },
  )

export const logEvidenceOf = ({ terms }: Pick<NewError, 'terms'>): number =>
  terms.length === 0 ? 0 : logMeanExp(terms)

/** The k-th kind gets 1/(k(k+1)) of the budget; however many come, all together they never spend more than all of it. */
export const logThresholdOf = ({ rank }: Pick<NewError, 'rank'>, alpha: number): number =>
  Math.log((rank * (rank + 1)) / alpha)

/**
 * The split that weighs an error least. Some errors come with requests and some with time; what is more than both splits
 * can explain is more than either.
 */
export function splitOf(
  requests: { candidate: number; stable: number },
  instances: { candidate: number; stable: number },
): WorkSplit | null {
  const share = ({ candidate, stable }: { candidate: number; stable: number }): number =>
    candidate === 0 ? 0 : candidate / (candidate + stable)
  const split = share(requests) >= share(instances) ? requests : instances
  return split.candidate > 0 && split.stable > 0 ? split : null
}
