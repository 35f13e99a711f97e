import type { AbUnit } from '../core/release/ab-settings.ts'
import type { AbSettings } from '../core/release/strategy-settings.ts'
import type { Participants } from '../core/shared/side-routes.ts'
import { formatWeight } from '../core/shared/weight.ts'
import { durationText, percentText } from './units.ts'
import { listText, listValues, type Value, wordText } from './value-text.ts'

export const abValues = (
  path: string,
  { by, where = [], variants, forMs, goal, atEnd, alpha }: AbSettings,
): Value[] => [
  [`${path}.by`, unitText(by)],
  ...(where.length === 0 ? [] : listValues(`${path}.where`, where, conditionText)),
  ...listValues(
    `${path}.variants`,
    variants,
    ({ name, sharePermille }) => `{ name: ${name}, share: ${formatWeight(sharePermille)} }`,
  ),
  [`${path}.for`, durationText(forMs)],
  [`${path}.goal`, `{ request: ${goal.method} ${goal.path} }`],
  [`${path}.atEnd`, atEnd],
  [`${path}.alpha`, percentText(alpha * 100)],
]

const unitText = (by: AbUnit): string => (by.kind === 'own-cookie' ? 'cookie' : `{ ${by.kind}: ${by.name} }`)

function conditionText(group: Participants[number]): string {
  const [first] = group
  if (first === undefined) return '{}'
  const values = group.flatMap((match) => (match.kind === 'exact' ? [match.value] : []))
  const what =
    first.kind === 'pattern'
      ? `pattern: ${wordText(first.pattern)}`
      : values.length === 1
        ? `value: ${wordText(first.value)}`
        : `values: ${listText(values)}`
  return `{ ${first.in}: { name: ${first.name}, ${what} } }`
}
