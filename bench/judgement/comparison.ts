import type { Table } from '../kit/row.ts'
import { measureCell, type Outcome, outcomeText } from './cell.ts'
import { engine, kayenta, NAIVE_Z, PRODUCT, TABLE, threshold } from './judges.ts'
import { BASE_PERCENTS, BASELINES, type Baseline, steadyWorld } from './worlds.ts'

export const RISES = [0, 0.5, 1, 4] as const
const METHODS = [
  threshold(1),
  threshold(5),
  kayenta(10),
  kayenta(30),
  NAIVE_Z,
  engine(TABLE),
  engine(PRODUCT),
] as const
/** These look at the candidate alone, so the size of the baseline changes nothing. */
const WITHOUT_BASELINE = 2

export const METHOD_NAMES = METHODS.map(({ name }) => name)

export type Cell = { base: number; rise: number; baseline: Baseline['name']; outcomes: Outcome[] }

export type Runs = { harmless: number; bad: number }

/** Every method on the same runs: three base rates, four candidates, two sizes of the baseline. */
export function compareMethods(runs: Runs, say: (text: string) => unknown): Cell[] {
  const cells: Cell[] = []
  for (const base of BASE_PERCENTS)
    for (const rise of RISES)
      for (const baseline of BASELINES) {
        const outcomes = measureCell(steadyWorld({ base, rise }, baseline), {
          name: `${base} + ${rise} ${baseline.name}`,
          runs: rise === 0 ? runs.harmless : runs.bad,
          judges: METHODS,
        })
        cells.push({ base, rise, baseline: baseline.name, outcomes })
        say(`${cellName({ base, rise })}, baseline ${baseline.name}: done`)
      }
  return cells
}

export const cellName = ({ base, rise }: Pick<Cell, 'base' | 'rise'>): string =>
  rise === 0 ? `${base}% -> ${base}% (as good)` : `${base}% -> ${Number((base + rise).toFixed(1))}%`

export function comparisonTable(cells: readonly Cell[]): Table {
  const lines = BASE_PERCENTS.flatMap((base) =>
    RISES.map((rise) => {
      const of = (name: Baseline['name']) =>
        cells.find((cell) => cell.base === base && cell.rise === rise && cell.baseline === name)?.outcomes ??
        []
      return [
        cellName({ base, rise }),
        ...METHODS.map((_, method) => cellText([of('A')[method], of('B')[method]], method, rise === 0)),
      ]
    }),
  )
  return {
    kind: 'table',
    what: 'Who alarms, and when: share of runs and median time; where there are two, baseline A / B',
    head: ['stable -> candidate', ...METHOD_NAMES],
    lines,
  }
}

function cellText(
  [same, large]: readonly (Outcome | undefined)[],
  method: number,
  isHarmless: boolean,
): string {
  if (same === undefined || large === undefined) return ''
  const text = outcomeText(same, isHarmless)
  return method < WITHOUT_BASELINE ? text : `${text} / ${outcomeText(large, isHarmless)}`
}

export const outcomeAt = (
  cells: readonly Cell[],
  at: Pick<Cell, 'base' | 'rise' | 'baseline'>,
  method: string,
): Outcome => {
  const found = cells.find(
    ({ base, rise, baseline }) => base === at.base && rise === at.rise && baseline === at.baseline,
  )?.outcomes[METHOD_NAMES.indexOf(method)]
  if (found === undefined) throw new RangeError(`${method} was not measured at ${JSON.stringify(at)}`)
  return found
}
