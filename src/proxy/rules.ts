import type { IncomingHttpHeaders } from 'node:http'
import { fitsPattern } from '../core/shared/pattern.ts'
import type { RequestMatch, RouteRule } from '../core/shared/side-routes.ts'
import { cookieIn } from './cookie.ts'

/** The release of the first rule that this request matches, or `null`: the weights decide. */
export function ruledBy(rules: readonly RouteRule[], headers: IncomingHttpHeaders): string | null {
  for (const { match, release } of rules) if (matches(match, headers)) return release
  return null
}

export function matches(match: RequestMatch, headers: IncomingHttpHeaders): boolean {
  const value = match.in === 'header' ? headerIn(headers, match.name) : cookieIn(headers.cookie, match.name)
  if (value === null) return false
  return match.kind === 'exact' ? value === match.value : fitsPattern(match.pattern, value)
}

/** Node joins a header that stands several times by commas. */
export function headerIn(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name.toLowerCase()]
  return typeof value === 'string' ? value : null
}
