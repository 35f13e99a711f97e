import type { RequestMatch } from './side-routes.ts'

/** @example `header x-tester is "1"`, `cookie group fits "qa-*"` */
export const matchText = (match: RequestMatch): string =>
  match.kind === 'exact'
    ? `${match.in} ${match.name} is "${match.value}"`
    : match.pattern === '*'
      ? `${match.in} ${match.name} is there`
      : `${match.in} ${match.name} fits "${match.pattern}"`
