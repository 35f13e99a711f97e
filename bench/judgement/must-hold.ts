import { LATENCY_BOUNDS_MS } from '../../src/core/shared/histogram.ts'
import { type Aim, measured, type Row, spread } from '../kit/row.ts'
import { measureCell, type Outcome, percentOf } from './cell.ts'
import { type Cell, outcomeAt } from './comparison.ts'
import { measureCrashes } from './crashes.ts'
import { engine, NAIVE_Z, POOLED, PRODUCT, provenFine, TABLE, threshold } from './judges.ts'
import { LATENCY_PRODUCT, LATENCY_TABLE, measureLatency } from './latency.ts'
import { measureSpeed } from './speed.ts'
import {
  BASE_PERCENTS,
  BASELINES,
  EQUAL,
  sharedOutage,
  steadyWorld,
  steppingWeights,
  wholeDay,
} from './worlds.ts'

const MOST_FALSE_PERCENT = 1
const FOUND_WITHIN_S = 60
const PROVEN_WITHIN_S = 130
const METRICS_PER_SECOND = 10_000

type Say = (text: string) => unknown
type Pair = readonly [table: Outcome, product: Outcome]

/** The figures of the comparison that have an aim. */
export function comparisonRows(cells: readonly Cell[]): Row[] {
  const harmless = (name: string): Outcome =>
    most(
      BASE_PERCENTS.flatMap((base) =>
        BASELINES.map((baseline) => outcomeAt(cells, { base, rise: 0, baseline: baseline.name }, name)),
      ),
    )
  const at = { base: 0.1, rise: 1, baseline: EQUAL.name }
  const found: Pair = [outcomeAt(cells, at, TABLE.name), outcomeAt(cells, at, PRODUCT.name)]
  return [
    falseAlarms('false alarms in 30 min, worst of six cells', [harmless(TABLE.name), harmless(PRODUCT.name)]),
    times('0.1% -> 1.1% found, 20 req/s each: median', 's', found, FOUND_WITHIN_S),
  ]
}

/** Errors are one of three metrics of the product; the other two have their own share of the budget. */
export function budgetRows(cells: readonly Cell[], runs: number): Row[] {
  const crashes = measureCrashes(runs)
  const latency = measureLatency(LATENCY_PRODUCT, { times: 1, stableTimes: 1 }, runs)
  const worst = BASE_PERCENTS.map((base) =>
    percentOf(outcomeAt(cells, { base, rise: 0, baseline: EQUAL.name }, PRODUCT.name)),
  ).reduce((a, b) => Math.max(a, b), 0)
  const value =
    100 * (1 - [worst, percentOf(crashes), percentOf(latency)].reduce((all, one) => all * (1 - one / 100), 1))
  const aim = { text: `at most ${MOST_FALSE_PERCENT}%`, met: value <= MOST_FALSE_PERCENT }
  const points = [{ name: 'product', value }]
  return [measured('false alarms of errors, latency or crashes in 30 min', { unit: '%', points, runs, aim })]
}

export function harmlessRows(runs: number, say: Say): Row[] {
  const judges = [engine(TABLE), engine(PRODUCT)]
  const cell = (name: string, world: Parameters<typeof measureCell>[0], contrast: typeof NAIVE_Z) => {
    say(name)
    const [table, product, other] = measureCell(world, { name, runs, judges: [...judges, contrast] })
    if (table === undefined || product === undefined || other === undefined)
      throw new RangeError('no outcome')
    const points = [{ name: contrast.name, value: percentOf(other) }]
    return [
      falseAlarms(name, [table, product]),
      measured(`${name}: ${contrast.name}`, { unit: '%', points, runs }),
    ]
  }
  return [
    ...cell('false alarms in 24 h, a look each minute, 0.5%', wholeDay(0.5), NAIVE_Z),
    ...cell('false alarms, both at 5% for 5 min', sharedOutage, threshold(1)),
    ...cell('false alarms, weights 5/25/50% while rates climb', steppingWeights, POOLED),
  ]
}

export function latencyRows(runs: { harmless: number; bad: number }, say: Say): Row[] {
  const pairOf = (factor: number, count: number): Pair => {
    say(`latency times ${factor}`)
    const world = { times: factor, stableTimes: 1 }
    return [measureLatency(LATENCY_TABLE, world, count), measureLatency(LATENCY_PRODUCT, world, count)]
  }
  return [
    falseAlarms('false alarms of latency, 36,000 requests', pairOf(1, runs.harmless)),
    times('latency x1.5 found, equal baseline: median', 'requests', pairOf(1.5, runs.bad), 400),
    times('latency x1.2 found, equal baseline: median', 'requests', pairOf(1.2, runs.bad), 1400),
  ]
}

export function provenRows(runs: { harmless: number; bad: number }): Row[] {
  const judges = [provenFine(TABLE), provenFine(PRODUCT)]
  const pairOf = (rise: number, baseline: (typeof BASELINES)[number], count: number): Pair => {
    const name = `proven ${rise} ${baseline.name}`
    const [table, product] = measureCell(steadyWorld({ base: 1, rise }, baseline), {
      name,
      runs: count,
      judges,
    })
    if (table === undefined || product === undefined) throw new RangeError('no outcome')
    return [table, product]
  }
  const [same, large] = BASELINES
  return [
    times(
      '"not 1 point worse" shown at 1%, baseline A: median',
      's',
      pairOf(0, same, runs.bad),
      PROVEN_WITHIN_S,
    ),
    times(
      '"not 1 point worse" shown at 1%, baseline B: median',
      's',
      pairOf(0, large, runs.bad),
      PROVEN_WITHIN_S,
    ),
    falseAlarms('wrongly shown when it is 1 point worse, 1% -> 2%', pairOf(1, same, runs.harmless)),
  ]
}

export function speedRows(): Row[] {
  const row = (what: string, rates: readonly number[]): Row => {
    const points = spread(rates.map(Math.round))
    const met = Math.min(...rates) >= METRICS_PER_SECOND
    return measured(what, {
      unit: 'metrics/s',
      points,
      runs: rates.length,
      aim: { text: `at least ${METRICS_PER_SECOND}`, met },
    })
  }
  const counts = LATENCY_BOUNDS_MS.map((_, index) => 10 + index)
  const histogram = { counts: [...counts, 3] }
  const { metric } = LATENCY_PRODUCT
  return [
    row(
      'ratio metrics taken in and judged, one core',
      measureSpeed(TABLE.metricOf({ looks: [], baseline: [], lookSeconds: 1 }), {
        candidate: { bad: 1, total: 200 },
        stable: { bad: 9, total: 1800 },
      }),
    ),
    row(
      'histogram metrics of 23 buckets taken in and judged, one core',
      measureSpeed(metric, { candidate: histogram, stable: histogram }),
    ),
  ]
}

export function falseAlarms(what: string, [table, product]: Pair, mostPercent = MOST_FALSE_PERCENT): Row {
  const values = [percentOf(table), percentOf(product)]
  const aim = { text: `at most ${mostPercent}%, both`, met: Math.max(...values) <= mostPercent }
  return sideBySide(what, { unit: '%', values, runs: table.runs, aim })
}

function times(what: string, unit: string, [table, product]: Pair, atMost: number): Row {
  const values = [table, product].map(({ medianSeconds }) => medianSeconds ?? Number.POSITIVE_INFINITY)
  const aim = {
    text: `at most ${atMost} ${unit}, table`,
    met: (values[0] ?? Number.POSITIVE_INFINITY) <= atMost,
  }
  return sideBySide(what, { unit, values, runs: table.runs, aim })
}

type SideBySide = { unit: string; values: readonly number[]; runs: number; aim: Aim }

const sideBySide = (what: string, { unit, values, runs, aim }: SideBySide): Row =>
  measured(what, {
    unit,
    points: values.map((value, index) => ({ name: index === 0 ? 'table' : 'product', value })),
    runs,
    aim,
  })

const most = (outcomes: readonly Outcome[]): Outcome =>
  outcomes.reduce((a, b) => (percentOf(b) > percentOf(a) ? b : a))
