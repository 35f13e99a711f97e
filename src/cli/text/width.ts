import stringWidth from 'string-width'

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
const ELLIPSIS = '…'

/** Columns the text takes in a terminal. */
export const widthOf = (text: string): number => stringWidth(text)

/**
 * What came from outside (log lines, versions, sentences) must not move the cursor or change colours: escape
 * sequences go, other control characters become a space.
 */
export function printable(text: string): string {
  return text.replace(ESCAPE_SEQUENCE, '').replace(CONTROL_CHARACTER, ' ')
}

/** Shortens to at most `columns`, the last one being `…` where something was cut. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  if (columns <= 0) return ''
  return `${head(text, columns - 1)}${ELLIPSIS}`
}

/** Exactly `columns` wide: cut or filled with spaces. */
export function pad(text: string, columns: number, side: 'left' | 'right' = 'left'): string {
  const fitting = cut(text, columns)
  const filling = ' '.repeat(Math.max(0, columns - widthOf(fitting)))
  return side === 'left' ? `${fitting}${filling}` : `${filling}${fitting}`
}

/** Breaks at spaces; a word longer than the line is cut. At most `maximum` lines, the last one cut with `…`. */
export function wrap(text: string, columns: number, maximum = Number.POSITIVE_INFINITY): string[] {
  const lines: string[] = []
  let rest = text.trim()
  while (rest !== '' && lines.length < maximum) {
    if (lines.length + 1 >= maximum || widthOf(rest) <= columns) {
      lines.push(cut(rest, columns))
      break
    }
    const part = breakingPoint(rest, columns)
    lines.push(part.trimEnd())
    rest = rest.slice(part.length).trimStart()
  }
  return lines
}

function breakingPoint(text: string, columns: number): string {
  const fitting = head(text, columns + 1)
  const space = fitting.lastIndexOf(' ')
  if (space > 0) return text.slice(0, space)
  const hard = head(text, columns)
  return hard === '' ? text.slice(0, 1) : hard
}

/** As many leading graphemes as fit into the columns. */
export function head(text: string, columns: number): string {
  let taken = ''
  let used = 0
  for (const { segment } of graphemes.segment(text)) {
    used += widthOf(segment)
    if (used > columns) break
    taken += segment
  }
  return taken
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what is removed here.
const ESCAPE_SEQUENCE = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g
