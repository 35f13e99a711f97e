import { head, printable, widthOf } from './width.ts'

/** How a piece of a line looks. Colour only says good, bad or attention; everything else is weight. */
export type Look = 'plain' | 'strong' | 'quiet' | 'good' | 'bad' | 'attention' | 'accent'

/** A piece of text in one look. */
export type Span = { text: string; look: Look }

/** One line of the terminal, not yet painted. */
export type Line = readonly Span[]

export const span = (text: string, look: Look = 'plain'): Span => ({ text: printable(text), look })
export const strong = (text: string): Span => span(text, 'strong')
export const quiet = (text: string): Span => span(text, 'quiet')

/** Columns the whole line takes. */
export const widthOfLine = (line: Line): number => line.reduce((sum, { text }) => sum + widthOf(text), 0)

/** Cuts the line to the columns, over its spans, with `…` at the end where something went. */
export function fitLine(line: Line, columns: number): Line {
  if (widthOfLine(line) <= columns) return line
  const kept: Span[] = []
  let left = columns - 1
  for (const piece of line) {
    const width = widthOf(piece.text)
    if (width > left) return [...kept, { ...piece, text: `${head(piece.text, left)}…` }]
    kept.push(piece)
    left -= width
  }
  return kept
}

/** The line as text, with colours when asked, without blanks at its end. */
export const paintLine = (line: Line, color: boolean): string =>
  withoutEndingBlanks(line)
    .map(({ text, look }) => (color && text.trim() !== '' ? `${START[look]}${text}${END[look]}` : text))
    .join('')

function withoutEndingBlanks(line: Line): Line {
  const last = line.findLastIndex(({ text }) => text.trim() !== '')
  return line
    .slice(0, last + 1)
    .map((piece, index) => (index === last ? { ...piece, text: piece.text.trimEnd() } : piece))
}

const START: Record<Look, string> = {
  plain: '',
  strong: '\u001b[1m',
  quiet: '\u001b[2m',
  good: '\u001b[32m',
  bad: '\u001b[1;31m',
  attention: '\u001b[33m',
  accent: '\u001b[36m',
}
const RESET = '\u001b[0m'
const END: Record<Look, string> = {
  plain: '',
  strong: RESET,
  quiet: RESET,
  good: RESET,
  bad: RESET,
  attention: RESET,
  accent: RESET,
}
