import { formatWeight } from '../../../core/shared/weight.ts'

export type Part = { to: string; permille: number }

/**
 * Parts of a whole by the hash of a key, in nginx's own words: it knows no share of zero, so a part without one is not
 * named, and the last one takes what is left.
 */
export function drawText(key: string, variable: string, parts: readonly Part[]): string {
  const shared = parts.filter(({ permille }) => permille > 0)
  const lines = shared.map(({ to, permille }, at) => {
    const share = at === shared.length - 1 ? '*' : formatWeight(permille)
    return `    ${share} ${to};`
  })
  return [
    `split_clients "${key}" ${variable} {`,
    ...(lines.length === 0 ? ['    * none;'] : lines),
    '}',
  ].join('\n')
}
