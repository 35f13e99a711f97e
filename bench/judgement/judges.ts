import { classify, JUDGE_LITERALS, type Rules } from '../../src/core/analysis/kayenta/classify.ts'
import { NEUTRAL_EFFECT } from '../../src/core/analysis/kayenta/effect.ts'
import { dispersionFor } from '../../src/core/analysis/sequential/dispersion.ts'
import { budgetOf } from '../../src/core/analysis/sequential/judge.ts'
import { Metric, type MetricInput } from '../../src/core/analysis/sequential/metric.ts'
import { addBatch, newState, type Verdict, verdictOf } from '../../src/core/analysis/sequential/state.ts'
import type { Count, Look, Run } from './world.ts'

/** Says after how many looks it would have rolled back; `null`: never. */
export type Judge = { name: string; alarmAfter: (run: Run) => number | null }

export const ALPHA = 0.01
/** Errors, latency, crashes. */
export const HARM_METRICS = 3

/** How the table of the method was made: one metric, no tolerance, no dispersion factor. */
const TABLE_METRIC = Metric.parse({
  name: 'errors',
  kind: 'ratio',
  tolerance: { ratio: 1, points: 0 },
  notice: { points: 1 },
  dispersion: 1,
} satisfies MetricInput)

/** What a rollout gets without any setting; the factor comes from the hour before it. */
const PRODUCT_METRIC = Metric.parse({ name: 'errors', kind: 'ratio' } satisfies MetricInput)

export type Setting = { name: string; alpha: number; beta: number; metricOf: (run: Run) => Metric }

export const TABLE: Setting = {
  name: 'Sluice, one metric',
  alpha: ALPHA,
  beta: ALPHA,
  metricOf: () => TABLE_METRIC,
}

const factored = (metric: Metric, { baseline }: Run): Metric => ({
  ...metric,
  dispersion: dispersionFor(baseline, []).phi,
})

export const TABLE_WITH_FACTOR: Setting = {
  ...TABLE,
  name: 'Sluice, one metric, factor on',
  metricOf: (run) => factored(TABLE_METRIC, run),
}

export const PRODUCT: Setting = {
  name: 'Sluice, product defaults',
  ...budgetOf(ALPHA, HARM_METRICS),
  metricOf: (run) => factored(PRODUCT_METRIC, run),
}

export const engine = (setting: Setting): Judge => ({
  name: setting.name,
  alarmAfter: (run) => firstVerdict(setting, run, 'worse'),
})

/** Looks until "proven not worse by what is to be noticed". */
export const provenFine = (setting: Setting): Judge => ({
  name: `${setting.name}: proven fine`,
  alarmAfter: (run) => firstVerdict(setting, run, 'not-worse'),
})

function firstVerdict(
  { alpha, beta, metricOf }: Setting,
  run: Run,
  wanted: Extract<Verdict, 'worse' | 'not-worse'>,
): number | null {
  const metric = metricOf(run)
  let state = newState()
  for (const [index, batch] of run.looks.entries()) {
    state = addBatch(metric, state, batch)
    const { verdict } = verdictOf(metric, state, alpha, beta)
    if (verdict === wanted) return index + 1
    if (verdict === 'worse') return null
  }
  return null
}

/** The same evidence from totals instead of batches: wrong when weights change, shown for contrast. */
export const POOLED: Judge = {
  name: 'the same, pooled over weights',
  alarmAfter: (run) => {
    const sum: Look = { candidate: { bad: 0, total: 0 }, stable: { bad: 0, total: 0 } }
    for (const [index, { candidate, stable }] of run.looks.entries()) {
      add(sum.candidate, candidate)
      add(sum.stable, stable)
      const state = addBatch(TABLE_METRIC, newState(), sum)
      if (verdictOf(TABLE_METRIC, state, ALPHA).verdict === 'worse') return index + 1
    }
    return null
  },
}

const THRESHOLD_SHARE = 0.01

/** A minute with more errors than the threshold; the given number of such minutes rolls back. */
export const threshold = (times: number): Judge => ({
  name: `threshold ${times}x`,
  alarmAfter: (run) => {
    let over = 0
    for (const minute of minutesOf(run)) {
      if (shareOf(minute.candidate) > THRESHOLD_SHARE) over += 1
      if (over === times) return minute.lastLook
    }
    return null
  },
})

const Z_99 = 2.3263

/** The two-sample test of the textbook on all counts so far, looked at each minute as if each look were the only one. */
export const NAIVE_Z: Judge = {
  name: 'naive z each minute',
  alarmAfter: (run) => {
    const candidate = { bad: 0, total: 0 }
    const stable = { bad: 0, total: 0 }
    for (const minute of minutesOf(run)) {
      add(candidate, minute.candidate)
      add(stable, minute.stable)
      const all = shareOf({ bad: candidate.bad + stable.bad, total: candidate.total + stable.total })
      const spread = Math.sqrt(all * (1 - all) * (1 / candidate.total + 1 / stable.total))
      if (shareOf(candidate) - shareOf(stable) > Z_99 * spread) return minute.lastLook
    }
    return null
  },
}

const KAYENTA_RULES: Rules = {
  ...JUDGE_LITERALS,
  direction: 'increase',
  nanStrategy: 'remove',
  isCritical: true,
  mustHaveData: false,
  effect: {
    measure: 'meanRatio',
    allowedIncrease: NEUTRAL_EFFECT.meanRatio,
    allowedDecrease: NEUTRAL_EFFECT.meanRatio,
    criticalIncrease: NEUTRAL_EFFECT.meanRatio,
    criticalDecrease: NEUTRAL_EFFECT.meanRatio,
  },
}

/** Kayenta's default judge on the error percentages of so many minutes, looked at once at their end. */
export const kayenta = (minutes: number): Judge => ({
  name: `Kayenta ${minutes} min`,
  alarmAfter: (run) => {
    const seen = minutesOf(run).slice(0, minutes)
    const { label } = classify(
      {
        control: seen.map(({ stable }) => 100 * shareOf(stable)),
        experiment: seen.map(({ candidate }) => 100 * shareOf(candidate)),
      },
      KAYENTA_RULES,
    )
    return label === 'High' ? (seen.at(-1)?.lastLook ?? null) : null
  },
})

type Minute = Look & { lastLook: number }

function minutesOf({ looks, lookSeconds }: Run): Minute[] {
  const perMinute = Math.max(1, Math.round(60 / lookSeconds))
  return Array.from({ length: Math.floor(looks.length / perMinute) }, (_, minute) => {
    const sum: Minute = {
      candidate: { bad: 0, total: 0 },
      stable: { bad: 0, total: 0 },
      lastLook: (minute + 1) * perMinute,
    }
    for (const look of looks.slice(minute * perMinute, (minute + 1) * perMinute)) {
      add(sum.candidate, look.candidate)
      add(sum.stable, look.stable)
    }
    return sum
  })
}

function add(sum: Count, { bad, total }: Count): void {
  sum.bad += bad
  sum.total += total
}

const shareOf = ({ bad, total }: Count): number => (total === 0 ? 0 : bad / total)
