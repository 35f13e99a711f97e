import type { Asking } from '../../core/analysis/evidence/evidence.ts'
import { answersText } from '../../core/analysis/evidence/words.ts'
import { formatDuration } from '../../core/shared/duration.ts'
import { type Line, quiet, span } from '../text/line.ts'
import { clockTime } from '../text/time.ts'
import { pad, wrap } from '../text/width.ts'

export const INDENT = 2
export const NAMES = 14

export type Fact = { name: string; value: string }

export function factLines(all: readonly Fact[], columns: number): Line[] {
  return all.flatMap(({ name, value }) => {
    return wrap(value, columns - INDENT - NAMES - 2).map(
      (text, index): Line => [
        span(' '.repeat(INDENT)),
        quiet(pad(index === 0 ? name : '', NAMES)),
        span(`  ${text}`),
      ],
    )
  })
}

export const indented = (text: string, columns: number): Line[] =>
  wrap(text, columns - INDENT).map((line): Line => [span(`${' '.repeat(INDENT)}${line}`)])

/** The question behind a declared metric, and how often it was answered. */
export function askingFacts(asking: Asking): Fact[] {
  const { provider, asked, window } = asking
  const over =
    window === null
      ? ''
      : `, last over ${formatDuration(Math.max(0, Math.round(window.toMs - window.fromMs)))} until ${clockTime(window.toMs)} UTC`
  return [
    ...asked.map((question, index) => ({ name: index === 0 ? 'query' : '', value: question })),
    { name: 'asked', value: `${provider}${over}: ${answersText(asking)}` },
  ]
}
