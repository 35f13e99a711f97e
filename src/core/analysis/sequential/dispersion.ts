import * as z from 'zod'

/** One minute, or one instance within a minute: events (errors, crashes) of so many requests. */
export type Share = { events: number; exposure: number }

/** How much more the counts vary than independent requests would. */
export type Dispersion = {
  phi: number
  /** `weaker`: from too few minutes, so it is guessed high; verdicts with it say so. */
  evidence: 'full' | 'weaker'
  minutes: number
}

/** From this many minutes of a baseline on, its own spread is taken as it is. */
export const FULL_BASELINE_MINUTES = 60
/** With fewer minutes than this there is no spread to speak of. */
const FEWEST_MINUTES = 5
const UNKNOWN_DISPERSION = 2
/** One-sided normal quantile of 90%: one service in ten varies more than the guess from a short time. */
const Z_90 = 1.2816

/**
 * Variance over mean of counts in equal times, at least 1; 1 is what independent requests give. Counts that follow the
 * traffic of the day vary by that, too: prefer `dispersionBetween` where instances are counted apart.
 *
 * @example dispersionOf([2, 9, 0, 5]) // 3.83...
 */
export function dispersionOf(perMinute: readonly number[]): number {
  const { spread, freedom } = spreadOf(perMinute.map((events) => ({ events, exposure: 1 })))
  return atLeastOne(spread, freedom)
}

/**
 * The spread between instances of one version within the same minute, over all minutes: what all of them share (the time
 * of day, an outage of something below them) does not count. Pearson's chi-square over its degrees of freedom.
 */
export function dispersionBetween(minutes: readonly (readonly Share[])[]): number {
  const all = minutes.map(spreadOf)
  return atLeastOne(
    all.reduce((sum, { spread }) => sum + spread, 0),
    all.reduce((sum, { freedom }) => sum + freedom, 0),
  )
}

/** How far counts were from a common rate, and how many of them could have differed: all that a long baseline needs to hand on. */
export const Spread = z.object({ spread: z.number(), freedom: z.int(), minutes: z.int() })
export type Spread = z.infer<typeof Spread>

/** @example spreadOfMinutes([{ events: 2, exposure: 1000 }, { events: 9, exposure: 1000 }]) */
export const spreadOfMinutes = (minutes: readonly Share[]): Spread => ({
  ...spreadOf(minutes),
  minutes: minutes.length,
})

/**
 * The factor of a rollout, fixed before its batches are judged. A baseline of an hour is taken as it is. With less, the
 * minutes there are (of the baseline, then of stable in this rollout so far) give an upper limit, and with hardly any a
 * factor of 2 or what was seen, whichever is more. That costs requests and not safety, and is marked as weaker.
 */
export const dispersionFor = (baseline: readonly Share[], current: readonly Share[]): Dispersion =>
  dispersionFromSpreads(spreadOfMinutes(baseline), spreadOfMinutes(current))

/** The same from sums. Each part has a mean of its own: a level that moved since the baseline is no spread. */
export function dispersionFromSpreads(baseline: Spread, current: Spread): Dispersion {
  if (baseline.minutes >= FULL_BASELINE_MINUTES) {
    const { spread, freedom, minutes } = baseline
    return { phi: atLeastOne(spread, freedom), evidence: 'full', minutes }
  }
  const spread = baseline.spread + current.spread
  const freedom = baseline.freedom + current.freedom
  const seen = atLeastOne(spread, freedom)
  const phi =
    freedom < FEWEST_MINUTES
      ? Math.max(UNKNOWN_DISPERSION, seen)
      : Math.max(1, spread / chiSquareTenth(freedom))
  return { phi, evidence: 'weaker', minutes: baseline.minutes + current.minutes }
}

const atLeastOne = (spread: number, freedom: number): number =>
  freedom === 0 ? 1 : Math.max(1, spread / freedom)

/** Pearson's sum of (seen - expected)^2 / expected at one common rate. What had no exposure is left out. */
function spreadOf(shares: readonly Share[]): { spread: number; freedom: number } {
  const counted = shares.filter(({ exposure }) => exposure > 0)
  const events = counted.reduce((sum, share) => sum + share.events, 0)
  const exposure = counted.reduce((sum, share) => sum + share.exposure, 0)
  if (events === 0 || counted.length < 2) return { spread: 0, freedom: 0 }
  const spread = counted.reduce((sum, share) => {
    const expected = (events * share.exposure) / exposure
    return sum + (share.events - expected) ** 2 / expected
  }, 0)
  return { spread, freedom: counted.length - 1 }
}

/** The lower 10% point of chi-square (Wilson and Hilferty), for 5 degrees of freedom and more. */
const chiSquareTenth = (freedom: number): number => {
  const part = 2 / (9 * freedom)
  return freedom * (1 - part - Z_90 * Math.sqrt(part)) ** 3
}
