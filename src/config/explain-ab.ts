import type { AbUnit } from '../core/release/ab-settings.ts'
import type { AbSettings } from '../core/release/settings.ts'
import { formatWeight } from '../core/shared/weight.ts'
import { durationText, percentText } from './units.ts'
import { listValues, type Value } from './value-text.ts'

export const abValues = (path: string, { by, variants, forMs, goal, atEnd, alpha }: AbSettings): Value[] => [
  [`${path}.by`, unitText(by)],
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
