import type { MetricPlaceholder } from '../../../core/shared/metric-template.ts'

/** A statement with numbered marks, and the parameters in the order of the marks. */
export type Numbered = { text: string; names: MetricPlaceholder[]; unknown: string[] }

/**
 * What must not be looked into for parameters: comments, quoted texts and names, dollar quotes; and `::type`, which is a
 * cast. Escapes inside of `E'...'` are those of PostgreSQL.
 */
const SKIPPED = [
  String.raw`--[^\n]*`,
  String.raw`/\*[\s\S]*?(?:\*/|$)`,
  String.raw`[eE]'(?:[^'\\]|\\.|'')*(?:'|$)`,
  "'(?:[^']|'')*(?:'|$)",
  '"(?:[^"]|"")*(?:"|$)',
  String.raw`\$(?<tag>[A-Za-z_]\w*)?\$[\s\S]*?(?:\$\k<tag>\$|$)`,
  '::',
].join('|')

/** Turns `:version` into a numbered mark; each use gets a number of its own, since the server gives each one a type. */
export function numberParameters(
  text: string,
  known: readonly MetricPlaceholder[],
  mark: (index: number, name: MetricPlaceholder) => string,
): Numbered {
  const names: MetricPlaceholder[] = []
  const unknown: string[] = []
  const pattern = new RegExp(`(?<skipped>${SKIPPED})|:(?<name>[A-Za-z_]\\w*)`, 'g')
  const numbered = text.replace(pattern, (whole: string, ...rest: unknown[]) => {
    const word = nameIn(rest.at(-1))
    if (word === null) return whole
    const name = known.find((one) => one === word)
    if (name === undefined) {
      unknown.push(word)
      return whole
    }
    names.push(name)
    return mark(names.length, name)
  })
  return { text: numbered, names, unknown }
}

function nameIn(groups: unknown): string | null {
  if (typeof groups !== 'object' || groups === null || !('name' in groups)) return null
  return typeof groups.name === 'string' ? groups.name : null
}
