import type { RequestMatch } from '../../../core/shared/side-routes.ts'
import type { Names } from './names.ts'
import { cookieNamed, exactly, fitting } from './words.ts'

export type Branch = {
  names: Names
  /** The name of the variable that holds what was decided. */
  variable: string
  /** What it holds where the request matches, and where not: a word or a variable. */
  hit: string
  miss: string
}

/** One variable that looks at a header or a cookie. */
export function matchText(match: RequestMatch, { names, variable, hit, miss }: Branch): string {
  const fits = match.kind === 'exact' ? exactly(match.value) : fitting(match.pattern)
  const decided = names.variable(variable)
  if (match.in === 'header')
    // Absent and empty are the same to nginx, so an empty header fits nothing.
    return `map ${headerNamed(match.name)} ${decided} { default ${miss}; "" ${miss}; "~${fits}" ${hit}; }`
  const value = `${variable}_cookie`
  return [
    cookieText(match.name, names.variable(value)),
    `map ${names.variable(value)} ${decided} { default ${miss}; "~${afterEquals(fits)}" ${hit}; }`,
  ].join('\n')
}

/** The value of a cookie behind `=`, so that an empty one differs from none. */
export const cookieText = (name: string, variable: string): string =>
  `map $http_cookie ${variable} { default ""; "~${cookieNamed(name)}" =$1; }`

export const headerNamed = (name: string): string => `$http_${name.toLowerCase().replaceAll('-', '_')}`

const afterEquals = (expression: string): string => expression.replace('^', '^=')
