import type { Bench, BenchOptions, Row } from '../kit/row.ts'
import { compareMethods, comparisonTable } from './comparison.ts'
import { littleTrafficTable } from './little-traffic.ts'
import {
  budgetRows,
  comparisonRows,
  falseAlarms,
  harmlessRows,
  latencyRows,
  provenRows,
  speedRows,
} from './must-hold.ts'
import { measureOverdispersion, overdispersionTable, worstWithFactor } from './overdispersion.ts'
import { detectionPlot, evidencePlot, falseAlarmPlot } from './plots.ts'

/** Runs of a cell. Two standard errors at a true 0.5% are 0.22 points with 4,000 runs, and 0.45 with 1,000. */
const RUNS = {
  harmless: 4000,
  bad: 1000,
  scenario: 2000,
  wobbling: 2000,
  wobblingBad: 300,
  latency: 1000,
  little: 800,
}
const QUICK = { harmless: 100, bad: 50, scenario: 50, wobbling: 50, wobblingBad: 20, latency: 30, little: 30 }

const MOST_FALSE_PERCENT_WOBBLING = 2

export const judgement: Bench = {
  name: 'judgement',
  title: 'Simulated rollouts',
  measures: 'simulation',
  document: 'judgement.md',
  method: [
    'Candidate 20 requests per second; baseline A is a stable version with as many, B one with 180 per second. 30 minutes, independent requests, a look every 10 s for Sluice.',
    `${RUNS.harmless} runs where candidate and stable are alike, ${RUNS.bad} where they are not; ${RUNS.scenario} for each other scenario, ${RUNS.latency} for latency, ${RUNS.wobbling} and ${RUNS.wobblingBad} for wobbling rates, ${RUNS.little} for little traffic.`,
    'All methods see the same runs. Counts are drawn exactly (binomial, multinomial, Poisson, gamma), with one fixed seed for each cell.',
    'Times are medians over all runs; a run without an alarm counts as later than any. They are multiples of a look, so those that stand exactly at their aim are met by less than one look.',
    'table: one metric with the whole budget of 1%, no tolerance, no dispersion factor. It shows the method alone.',
    'product: what a rollout gets without any setting. Three harm metrics share the budget; 0.1 points of errors, and 10% and 1 point of slow requests, are tolerated; the dispersion factor comes from 60 minutes of stable before the rollout.',
    'threshold: the candidate has more than 1% errors in a minute, for the first or for the fifth time. At 1% base it finds bad and good candidates alike, so its times there are worth nothing.',
    'Kayenta: its default judge on the error percentage of each minute, direction increase, looked at once at the end.',
    'naive z: the one-sided test at 1% on all counts so far, each minute.',
    'Latencies are log-normal (median 80 ms, sigma 0.8), a look every 200 candidate requests, as many of stable.',
  ],
  run: async (options) => run(options),
}

function run({ quick, say }: BenchOptions): Row[] {
  const runs = quick ? QUICK : RUNS
  const cells = compareMethods(runs, say)
  const wobbling = measureOverdispersion({ harmless: runs.wobbling, bad: runs.wobblingBad }, say)
  const { table, product } = worstWithFactor(wobbling)
  return [
    ...comparisonRows(cells),
    ...budgetRows(cells, runs.latency),
    ...harmlessRows(runs.scenario, say),
    falseAlarms(
      'false alarms with wobbling rates, factor on, worst cell',
      [table, product],
      MOST_FALSE_PERCENT_WOBBLING,
    ),
    ...latencyRows({ harmless: runs.latency, bad: runs.bad }, say),
    ...provenRows({ harmless: runs.scenario, bad: runs.bad }),
    ...speedRows(),
    comparisonTable(cells),
    detectionPlot(cells),
    falseAlarmPlot(cells),
    evidencePlot(),
    overdispersionTable(wobbling),
    littleTrafficTable(runs.little, say),
  ]
}
