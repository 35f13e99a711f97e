import { LONGEST_RETRY_MS } from '../ports/store.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Quick at first for a hiccup, then patient: 12 times 6 h are about three days, a long weekend. */
const DELAYS_MS: readonly number[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  HOUR,
  ...Array<number>(12).fill(6 * HOUR),
]

/** So that messages that failed together do not come back together. */
const JITTER = 0.2

/** Delays before the second, third, ... attempt, without jitter. */
export const retryDelaysMs = DELAYS_MS

/**
 * How long to wait after `attempts` failed ones, or `null` when it is time to give up.
 * `random` is in [0, 1). `retryAfterMs` is the receiver's own wish; it can lengthen the wait, up to the longest
 * that a store lets a message wait, and never shortens it.
 *
 * @example nextDelayMs({ attempts: 1, random: 0.5 }) // 5000
 */
export function nextDelayMs(after: {
  attempts: number
  random: number
  retryAfterMs?: number
}): number | null {
  const delayMs = DELAYS_MS[after.attempts - 1]
  if (delayMs === undefined) return null
  const jittered = Math.round(delayMs * (1 - JITTER + 2 * JITTER * after.random))
  return Math.min(Math.max(jittered, after.retryAfterMs ?? 0), LONGEST_RETRY_MS)
}
