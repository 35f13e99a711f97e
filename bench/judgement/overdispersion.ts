import type { Table } from '../kit/row.ts'
import { measureCell, type Outcome, outcomeText } from './cell.ts'
import { engine, kayenta, NAIVE_Z, PRODUCT, TABLE, TABLE_WITH_FACTOR } from './judges.ts'
import { EQUAL, steadyWorld } from './worlds.ts'

const BASES = [0.5, 1] as const
const VARIATIONS = [0.25, 0.5, 1] as const
const JUDGES = [engine(TABLE), engine(TABLE_WITH_FACTOR), engine(PRODUCT), kayenta(30), NAIVE_Z]
const WITH_FACTOR = 1
const WITH_PRODUCT = 2

type Wobbling = { base: number; variation: number; good: Outcome[]; bad: Outcome[] }

/** Each version's error rate wobbles by itself from minute to minute; stable and candidate are alike, or 1 point apart. */
export function measureOverdispersion(
  runs: { harmless: number; bad: number },
  say: (text: string) => unknown,
): Wobbling[] {
  return BASES.flatMap((base) =>
    VARIATIONS.map((variation) => {
      const cellOf = (rise: number, count: number): Outcome[] =>
        measureCell(steadyWorld({ base, rise, variation }, EQUAL), {
          name: `wobble ${base} + ${rise}, ${variation}`,
          runs: count,
          judges: JUDGES,
        })
      say(`wobbling rates at ${base}%, variation ${variation}`)
      return { base, variation, good: cellOf(0, runs.harmless), bad: cellOf(1, runs.bad) }
    }),
  )
}

export function overdispersionTable(all: readonly Wobbling[]): Table {
  const lineOf = ({ base, variation, good, bad }: Wobbling): string[][] => [
    [`${base}% -> ${base}% (as good)`, String(variation), ...good.map((one) => outcomeText(one, true))],
    [`${base}% -> ${base + 1}%`, String(variation), ...bad.map((one) => outcomeText(one, false))],
  ]
  return {
    kind: 'table',
    what: 'Rates that wobble by themselves from minute to minute (gamma), baseline A',
    head: ['stable -> candidate', 'variation', ...JUDGES.map(({ name }) => name)],
    lines: all.flatMap(lineOf),
  }
}

/** The most false alarms of all cells, with the factor on. */
export const worstWithFactor = (
  all: readonly Wobbling[],
): { table: Outcome; product: Outcome; without: Outcome } => ({
  table: worst(all.map(({ good }) => good[WITH_FACTOR])),
  product: worst(all.map(({ good }) => good[WITH_PRODUCT])),
  without: worst(all.map(({ good }) => good[0])),
})

function worst(outcomes: readonly (Outcome | undefined)[]): Outcome {
  const known = outcomes.filter((outcome) => outcome !== undefined)
  const [first, ...rest] = known
  if (first === undefined) throw new RangeError('nothing was measured')
  return rest.reduce((most, one) => (one.alarms / one.runs > most.alarms / most.runs ? one : most), first)
}
