import type { CheckView, ServiceView } from '../../core/rollout/view/view.ts'
import { type Line, type Look, type Span, span } from '../text/line.ts'
import { count } from '../text/number.ts'
import { pad, printable, widthOf } from '../text/width.ts'
import type { FrameOptions } from './options.ts'
import { SPARK_VALUES, spark } from './spark.ts'

const GAP = 2
const INDENT = 2
/** A value longer than this is cut: the whole sentence is one key (`e`) away. */
const WIDEST = { name: 32, value: 24 } as const
/** A name narrower than this says nothing. */
const NARROWEST_NAME = 21
/** A shorter trend shows nothing. */
const NARROWEST_TREND = 8

type Column = {
  title: string
  side: 'left' | 'right'
  width: number
  cell: (check: CheckView) => { text: string; look: Look }
}

/** Each check with its values, limit, evidence and verdict; columns that do not fit leave from the least telling on. */
export function checkTable({ rollout }: ServiceView, { columns, history }: FrameOptions): Line[] {
  if (rollout === null || rollout.checks.length === 0) return []
  const shown = fitting(allColumns(rollout.checks, history), columns - INDENT)
  const line = (cells: readonly Span[]): Line => [span(' '.repeat(INDENT)), ...cells]
  return [
    line(cellsOf(shown, ({ title }) => ({ text: title, look: 'quiet' }))),
    ...rollout.checks.map((check) => line(cellsOf(shown, ({ cell }) => cell(check)))),
  ]
}

function cellsOf(
  columns: readonly Column[],
  content: (column: Column) => { text: string; look: Look },
): Span[] {
  return columns.flatMap((column, index): Span[] => {
    const { text, look } = content(column)
    const newest = column.title === TREND && text !== TREND ? text.slice(-column.width) : text
    const piece = span(pad(newest, column.width, column.side), look)
    return index === 0 ? [piece] : [span(' '.repeat(GAP)), piece]
  })
}

function allColumns(checks: readonly CheckView[], history: FrameOptions['history']): Column[] {
  const column = (
    title: string,
    side: Column['side'],
    cell: Column['cell'],
    widest: number = WIDEST.value,
  ): Column => ({
    title,
    side,
    cell: (check) => ({ ...cell(check), text: printable(cell(check).text) }),
    width: Math.min(widest, Math.max(widthOf(title), ...checks.map((check) => widthOf(cell(check).text)))),
  })
  const plain = (text: string): { text: string; look: Look } => ({ text, look: 'plain' })
  const measured = (text: string, verdict: CheckView['verdict']): { text: string; look: Look } => ({
    text,
    look: verdict === 'no-data' ? 'quiet' : 'plain',
  })
  return [
    column('check', 'left', ({ name }) => plain(name), WIDEST.name),
    column('stable', 'right', ({ stable, verdict }) => measured(stable, verdict)),
    column('candidate', 'right', ({ candidate, verdict }) => measured(candidate, verdict)),
    column('limit', 'right', ({ threshold }) => ({ text: threshold, look: 'quiet' })),
    column('n', 'right', ({ samples }) => ({ text: count(samples), look: 'quiet' })),
    column('verdict', 'left', verdictCell),
    column(
      TREND,
      'left',
      ({ name }) => ({ text: spark(history.get(name) ?? []), look: 'quiet' }),
      SPARK_VALUES,
    ),
  ]
}

/** Order in which columns leave a narrow terminal. */
const TREND = 'trend'
const LEAVING = [TREND, 'n', 'limit', 'stable'] as const

function fitting(columns: Column[], room: number): Column[] {
  const tooWide = Math.max(0, missing(columns, room))
  let kept = columns.map((column) =>
    column.title === TREND
      ? { ...column, width: Math.max(Math.min(NARROWEST_TREND, column.width), column.width - tooWide) }
      : column,
  )
  for (const title of LEAVING) {
    if (missing(kept, room) <= nameSlack(kept)) break
    kept = kept.filter((column) => column.title !== title)
  }
  const short = Math.max(0, missing(kept, room))
  return kept.map((column, index) =>
    index === 0 ? { ...column, width: Math.max(NARROWEST_NAME, column.width - short) } : column,
  )
}

const missing = (columns: readonly Column[], room: number): number =>
  columns.reduce((sum, { width }) => sum + width, (columns.length - 1) * GAP) - room
const nameSlack = ([name]: readonly Column[]): number => Math.max(0, (name?.width ?? 0) - NARROWEST_NAME)

/** A word with a sign in front, so that it does not depend on colour. */
const verdictCell = ({ verdict }: Pick<CheckView, 'verdict'>): { text: string; look: Look } =>
  VERDICT[verdict]

const VERDICT: Record<CheckView['verdict'], { text: string; look: Look }> = {
  worse: { text: '✗ worse', look: 'bad' },
  critical: { text: '✗ critical', look: 'bad' },
  warning: { text: '! warning', look: 'attention' },
  'provider-broken': { text: '! provider broken', look: 'attention' },
  ok: { text: '✓ ok', look: 'good' },
  'not-worse': { text: '✓ not worse', look: 'good' },
  watching: { text: '· watching', look: 'quiet' },
  'no-data': { text: '· no data', look: 'quiet' },
}
