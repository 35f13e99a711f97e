/** How far the saying of good-byes is. */
export type GoodByes = {
  /** Since the first one was due. */
  sinceMs: number
  /** From the first to the last one. */
  spreadMs: number
  told: number
  waiting: number
}

/**
 * How many good-byes are due now so that they are spread evenly over the time: clients come back at once, and all of them
 * together would be a storm. Once the time is over, whoever waits is told at once.
 * @example `goodByesDue({ sinceMs: 500, spreadMs: 1000, told: 20, waiting: 80 })` is 30
 */
export function goodByesDue({ sinceMs, spreadMs, told, waiting }: GoodByes): number {
  const share = Math.min(1, sinceMs / spreadMs)
  return Math.min(waiting, Math.max(0, Math.ceil((told + waiting) * share) - told))
}

/** The last good-bye is said a little before the end: it needs its time to be answered. */
export const spreadOf = (limitMs: number, graceMs: number): number =>
  Math.max(limitMs * 0.8, limitMs - graceMs, 1)
