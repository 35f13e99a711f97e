import { type Line, quiet, type Span, span, widthOfLine } from '../text/line.ts'
import { wrap } from '../text/width.ts'

/** Every fact starts with its name in a column of this width. */
export const LABEL_COLUMNS = 12

/** `  traffic   ...`: indented by two, the name quiet. */
export const labelled = (name: string, spans: readonly Span[]): Line => [
  quiet(`  ${name}`.padEnd(LABEL_COLUMNS)),
  ...spans,
]

/** A further line under a labelled one. */
export const continued = (spans: readonly Span[]): Line => [span(' '.repeat(LABEL_COLUMNS)), ...spans]

/** Puts the same gap between pieces. */
export const joined = (pieces: readonly (readonly Span[])[], gap = '   '): Span[] =>
  pieces.flatMap((piece, index) => (index === 0 ? [...piece] : [span(gap), ...piece]))

/** Pieces on as few rows as they fit on, none of them broken. */
export function packed(pieces: readonly (readonly Span[])[], room: number, gap = '   '): Span[][] {
  const rows: (readonly Span[])[][] = [[]]
  for (const piece of pieces) {
    const row = rows.at(-1) ?? []
    if (row.length > 0 && widthOfLine(joined([...row, piece], gap)) > room) rows.push([piece])
    else row.push(piece)
  }
  return rows.map((row) => joined(row, gap))
}

/** A labelled fact of several pieces, on further lines where one is too short. */
export const labelledPieces = (name: string, pieces: readonly (readonly Span[])[], columns: number): Line[] =>
  packed(pieces, columns - LABEL_COLUMNS).map((row, index) =>
    index === 0 ? labelled(name, row) : continued(row),
  )

/** A labelled sentence, wrapped. */
export const labelledText = (
  name: string,
  text: string,
  { columns, look = 'plain' }: { columns: number; look?: Span['look'] },
): Line[] =>
  wrap(text, columns - LABEL_COLUMNS).map((part, index) =>
    index === 0 ? labelled(name, [span(part, look)]) : continued([span(part, look)]),
  )
