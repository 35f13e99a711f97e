import * as z from 'zod'

/** No window remembers more than this: a state stays a few numbers. */
export const MOST_REMEMBERED = 100

/** How many of the last `of` observations must be bad before it is more than a moment. */
export const FailureLimit = z.object({
  limit: z.int().min(1).max(MOST_REMEMBERED),
  of: z.int().min(1).max(MOST_REMEMBERED),
})
export type FailureLimit = z.infer<typeof FailureLimit>

/** The last observations, oldest first; `true` is a bad one. */
export const Persistence = z.array(z.boolean()).max(MOST_REMEMBERED)
export type Persistence = z.infer<typeof Persistence>

/** Adds one observation and forgets what no longer counts. */
export const addObservation = (seen: Persistence, isBad: boolean, { of }: FailureLimit): Persistence =>
  [...seen, isBad].slice(-of)

/** @example isPersistent([true, false, true, true], { limit: 3, of: 5 }) // true */
export const isPersistent = (seen: Persistence, { limit, of }: FailureLimit): boolean =>
  badOnes(seen, of) >= limit

export const badOnes = (seen: Persistence, of: number): number =>
  seen.slice(-of).filter((isBad) => isBad).length
