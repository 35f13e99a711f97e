import type { Problem } from '../../core/shared/problem.ts'
import { type Line, quiet, span, strong } from './line.ts'

/** What happened, why, what to do. */
export const problemLines = (problems: readonly Problem[]): Line[] => problems.flatMap(oneProblem)

function oneProblem({ code, message, cause, remedy }: Problem): Line[] {
  return [
    [span('✗ ', 'bad'), ...paragraph(message, strong), quiet(`  ${code}`)],
    ...(cause === undefined ? [] : paragraphLines('  why: ', cause)),
    ...paragraphLines('  what to do: ', remedy),
  ]
}

const paragraph = (text: string, look: (text: string) => ReturnType<typeof strong>): Line => [look(text)]

/** Keeps line breaks of the text, indented: a cause may quote several lines. */
const paragraphLines = (label: string, text: string): Line[] =>
  text
    .split('\n')
    .map((part, index): Line => (index === 0 ? [quiet(label), span(part)] : [span(`    ${part}`)]))
