import type { Table } from '../kit/row.ts'
import { measureCell, outcomeText } from './cell.ts'
import { cellName } from './comparison.ts'
import { engine, kayenta, PRODUCT, TABLE, threshold } from './judges.ts'
import { BASELINES, littleTraffic } from './worlds.ts'

const CELLS = [
  { base: 0.1, rise: 0 },
  { base: 0.1, rise: 1 },
  { base: 0.5, rise: 0 },
  { base: 0.5, rise: 1 },
  { base: 1, rise: 0 },
  { base: 1, rise: 0.5 },
  { base: 1, rise: 1 },
  { base: 1, rise: 4 },
] as const
const JUDGES = [threshold(1), kayenta(30), engine(TABLE), engine(PRODUCT)]

/** What can be told in half an hour from two requests a second, and what cannot. */
export function littleTrafficTable(runs: number, say: (text: string) => unknown): Table {
  const lines = CELLS.map(({ base, rise }) => {
    say(`little traffic: ${base}% + ${rise} points`)
    const [same = [], large = []] = BASELINES.map((baseline) =>
      measureCell(littleTraffic({ base, rise }, baseline), {
        name: `little ${base} + ${rise} ${baseline.name}`,
        runs,
        judges: JUDGES,
      }).map((outcome) => outcomeText(outcome, rise === 0)),
    )
    return [
      cellName({ base, rise }),
      ...JUDGES.map((_, index) => `${same[index] ?? ''} / ${large[index] ?? ''}`),
    ]
  })
  return {
    kind: 'table',
    what: 'Little traffic: candidate 2 requests per second, stable 2 / 18 per second, 30 minutes',
    head: ['stable -> candidate', ...JUDGES.map(({ name }) => name)],
    lines,
  }
}
