import type { SideSettings, StickySettings } from '../core/release/side-settings.ts'
import type { RequestMatch } from '../core/shared/side-routes.ts'
import { durationText } from './units.ts'
import { addressText, listValues, type Value } from './value-text.ts'

/** Only what the file asks for. */
export const sideValues = (
  path: string,
  { preview, routes, sticky }: SideSettings & { sticky?: StickySettings },
): Value[] => [
  ...(preview === undefined ? [] : [[`${path}.preview`, addressText(preview)] as const]),
  ...(routes === undefined ? [] : listValues(`${path}.routes`, routes, routeText)),
  ...(sticky === undefined ? [] : stickyValues(`${path}.sticky`, sticky)),
]

const stickyValues = (path: string, { cookie, forMs }: StickySettings): Value[] => [
  [`${path}.cookie`, cookie],
  [`${path}.for`, durationText(forMs)],
]

function routeText(match: RequestMatch): string {
  const wanted =
    match.kind === 'exact'
      ? `value: ${JSON.stringify(match.value)}`
      : `pattern: ${JSON.stringify(match.pattern)}`
  return `{ ${match.in}: { name: ${match.name}, ${wanted} } }`
}
