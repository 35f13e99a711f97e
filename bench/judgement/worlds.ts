import { type Sides, steady, type World } from './world.ts'

export const LOOK_SECONDS = 10
const HALF_HOUR_LOOKS = 180
const MINUTE_LOOKS = 6

/** Requests per second of the stable version beside the candidate's 20: as many, and nine times as many. */
export const BASELINES = [
  { name: 'A', perSecond: 20 },
  { name: 'B', perSecond: 180 },
] as const
export type Baseline = (typeof BASELINES)[number]
export const EQUAL: Baseline = BASELINES[0]

export const CANDIDATE_PER_SECOND = 20

export const BASE_PERCENTS = [0.1, 0.5, 1] as const

/** Half an hour with a look every 10 s, at rates that stay. Rates are in percent. */
export const steadyWorld = (
  percents: { base: number; rise: number; variation?: number },
  baseline: Baseline,
): World => ({
  looks: HALF_HOUR_LOOKS,
  lookSeconds: LOOK_SECONDS,
  requests: steady(requestsIn(LOOK_SECONDS, baseline)),
  rates: steady({ candidate: (percents.base + percents.rise) / 100, stable: percents.base / 100 }),
  variation: percents.variation ?? 0,
})

/** The same with a tenth of the traffic on both sides. */
export const littleTraffic = (percents: { base: number; rise: number }, baseline: Baseline): World => ({
  ...steadyWorld(percents, baseline),
  requests: steady({ candidate: CANDIDATE_PER_SECOND, stable: baseline.perSecond }),
})

/** Looked at each minute for 24 hours; the candidate is as good as stable. */
export const wholeDay = (basePercent: number): World => ({
  looks: 24 * 60,
  lookSeconds: 60,
  requests: steady(requestsIn(60, EQUAL)),
  rates: steady({ candidate: basePercent / 100, stable: basePercent / 100 }),
  variation: 0,
})

/** Both versions fail 5% of their requests for 5 minutes. */
export const sharedOutage: World = {
  ...steadyWorld({ base: 1, rise: 0 }, EQUAL),
  rates: (look) => {
    const minute = Math.floor(look / MINUTE_LOOKS)
    const rate = minute >= 10 && minute < 15 ? 0.05 : 0.01
    return { candidate: rate, stable: rate }
  },
}

const STEP_SHARES = [0.05, 0.25, 0.5]
const STEP_RATES = [0.002, 0.005, 0.012]
const STEP_LOOKS = HALF_HOUR_LOOKS / STEP_SHARES.length
const ALL_PER_LOOK = 400

/** The weight goes up in steps while the rate of both climbs: over all, most of the candidate's requests come late. */
export const steppingWeights: World = {
  ...steadyWorld({ base: 0.2, rise: 0 }, EQUAL),
  requests: (look) => {
    const candidate = ALL_PER_LOOK * (STEP_SHARES[stepOf(look)] ?? 0)
    return { candidate, stable: ALL_PER_LOOK - candidate }
  },
  rates: (look) => {
    const rate = STEP_RATES[stepOf(look)] ?? 0
    return { candidate: rate, stable: rate }
  },
}

const stepOf = (look: number): number => Math.floor(look / STEP_LOOKS)

function requestsIn(seconds: number, { perSecond }: Baseline): Sides {
  return { candidate: CANDIDATE_PER_SECOND * seconds, stable: perSecond * seconds }
}
