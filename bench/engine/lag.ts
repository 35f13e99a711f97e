import type { Clock } from '../../src/ports/clock.ts'

const STEP_MS = 0.5
const STEPS = 120_000

/** Counts delays in steps of half a millisecond, so that millions of them cost nothing; the last step holds all beyond. */
export function createDelays() {
  const counts = new Uint32Array(STEPS)
  let total = 0
  const quantile = (share: number): number => {
    const wanted = Math.ceil(total * share)
    let seen = 0
    for (const [step, count] of counts.entries()) {
      seen += count
      if (count > 0 && seen >= wanted) return step * STEP_MS
    }
    return 0
  }
  return {
    add: (ms: number): void => {
      const step = Math.min(STEPS - 1, Math.max(0, Math.round(ms / STEP_MS)))
      counts[step] = (counts[step] ?? 0) + 1
      total += 1
    },
    clear: (): void => {
      counts.fill(0)
      total = 0
    },
    summary: () => ({ p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) }),
  }
}
export type Delays = ReturnType<typeof createDelays>

/** The clock itself, which also notes how late each wait ended that was not cut short. */
export const watched = (clock: Clock, delays: Delays): Clock => ({
  ...clock,
  sleep: async (ms, signal) => {
    const due = clock.monotonic() + ms
    await clock.sleep(ms, signal)
    if (signal?.aborted !== true) delays.add(clock.monotonic() - due)
  },
})
