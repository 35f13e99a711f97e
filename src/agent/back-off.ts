/** First wait after a crash: long enough not to spin, short enough that one hiccup costs no visible outage. */
const FIRST_MS = 500
/** Longest wait: a service whose database comes back should be up within half a minute of it. */
const LONGEST_MS = 30_000
/** An instance that stayed ready this long has recovered: its next crash starts from the first wait again. */
export const STEADY_AFTER_MS = 60_000

/** Wait before the start that follows the `crashes`-th crash in a row: 0.5 s, 1 s, 2 s, 4 s ... at most 30 s. */
export function backOffMs(crashes: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, crashes - 1))
}
