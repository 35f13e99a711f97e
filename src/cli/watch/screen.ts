import type { Terminal } from '../io.ts'
import { widthOf } from '../text/width.ts'

const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'
const CLEAR_TO_END_OF_LINE = '\u001b[K'
const CLEAR_BELOW = '\u001b[J'

/** Redraws a block of lines in place, below what was printed before, so that scrollback keeps its last state. */
export interface Screen {
  draw(lines: readonly string[]): void
  /** Leaves the block as it stands and gives the cursor back. Safe to call twice. */
  close(): void
}

export function openScreen(terminal: Terminal, write: (text: string) => void): Screen {
  let drawn: readonly string[] = []
  let open = true
  write(HIDE_CURSOR)
  const forget = terminal.onExit(() => {
    if (open) write(`\n${SHOW_CURSOR}`)
  })
  return {
    draw(lines) {
      if (!open) return
      const columns = terminal.columns()
      write(
        `${toFirstLine(drawn, columns)}${lines.map((line) => filled(line, columns)).join('\r\n')}${CLEAR_BELOW}`,
      )
      drawn = lines
    },
    close() {
      if (!open) return
      open = false
      forget()
      write(`\r\n${SHOW_CURSOR}`)
    },
  }
}

/** After the window became narrower the terminal has folded our lines: count the rows they take now. */
function toFirstLine(lines: readonly string[], columns: number): string {
  const rows = lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0)
  return rows > 1 ? `\r\u001b[${rows - 1}A` : '\r'
}

/** A line that fills the row needs no clearing, and clearing there would take its last character. */
const filled = (line: string, columns: number): string =>
  widthOf(line) < columns ? `${line}${CLEAR_TO_END_OF_LINE}` : line
