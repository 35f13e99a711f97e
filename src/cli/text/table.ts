import { type Line, type Look, type Span, span } from './line.ts'
import { pad, printable, widthOf } from './width.ts'

export type Column = { title: string; align?: 'left' | 'right'; maximum?: number }
export type Cell = string | { text: string; look: Look }

const GAP = '  '

/** A table with a quiet head; each column as wide as its widest cell, no rules and no boxes. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): Line[] {
  const widths = columns.map((column, index) => {
    const widest = Math.max(widthOf(column.title), ...rows.map((row) => widthOf(textOf(row[index]))))
    return Math.min(widest, column.maximum ?? widest)
  })
  const line = (cells: readonly Cell[], look?: Look): Line =>
    columns.flatMap((column, index): Span[] => {
      const last = index === columns.length - 1 && column.align !== 'right'
      const text =
        last && !column.maximum
          ? textOf(cells[index])
          : pad(textOf(cells[index]), widths[index] ?? 0, column.align === 'right' ? 'right' : 'left')
      return [span(index === 0 ? '' : GAP), span(text, look ?? lookOf(cells[index]))]
    })
  return [
    line(
      columns.map((column) => column.title),
      'quiet',
    ),
    ...rows.map((row) => line(row)),
  ]
}

const textOf = (cell: Cell | undefined): string =>
  printable(cell === undefined ? '' : typeof cell === 'string' ? cell : cell.text)
const lookOf = (cell: Cell | undefined): Look =>
  cell === undefined || typeof cell === 'string' ? 'plain' : cell.look
