import type { Share } from '../../src/core/analysis/sequential/dispersion.ts'
import type { Uniform } from './random.ts'
import { binomial, wobble } from './samplers.ts'

export type Count = { bad: number; total: number }
/** What both versions did between two looks. */
export type Look = { candidate: Count; stable: Count }
export type Sides = { candidate: number; stable: number }

/** A rollout as the statistics see it. Requests are independent given the rates, unless `variation` says otherwise. */
export type World = {
  looks: number
  lookSeconds: number
  /** Requests in one look. */
  requests: (look: number) => Sides
  /** Share of bad requests in one look. */
  rates: (look: number) => Sides
  /** Each version's rate wobbles by itself from minute to minute with this coefficient of variation. */
  variation: number
}

export type Run = { looks: Look[]; baseline: Share[]; lookSeconds: number }

const MINUTE_SECONDS = 60
const BASELINE_MINUTES = 60

/** One run: an hour of the stable version alone, from which a dispersion factor may be taken, and then the rollout. */
export function runOf(world: World, uniform: Uniform): Run {
  const { looks, lookSeconds } = world
  const perMinute = Math.max(1, Math.round(MINUTE_SECONDS / lookSeconds))
  let wobbles: Sides = { candidate: 1, stable: 1 }
  const countOf = (total: number, rate: number): Count => ({
    bad: binomial(uniform, total, Math.min(1, rate)),
    total,
  })
  return {
    lookSeconds,
    baseline: baselineOf(world, uniform),
    looks: Array.from({ length: looks }, (_, look) => {
      if (look % perMinute === 0)
        wobbles = { candidate: wobble(uniform, world.variation), stable: wobble(uniform, world.variation) }
      const requests = world.requests(look)
      const rates = world.rates(look)
      return {
        candidate: countOf(requests.candidate, rates.candidate * wobbles.candidate),
        stable: countOf(requests.stable, rates.stable * wobbles.stable),
      }
    }),
  }
}

function baselineOf({ lookSeconds, requests, rates, variation }: World, uniform: Uniform): Share[] {
  const exposure = Math.round((requests(0).stable * MINUTE_SECONDS) / lookSeconds)
  return Array.from({ length: BASELINE_MINUTES }, () => ({
    events: binomial(uniform, exposure, Math.min(1, rates(0).stable * wobble(uniform, variation))),
    exposure,
  }))
}

/** The same all the time. */
export const steady =
  <T>(value: T) =>
  (): T =>
    value
