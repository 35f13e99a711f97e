import type { RouteSet, ServiceRoutes } from '../../../core/shared/routes.ts'
import { hasActive } from '../../../core/shared/routes.ts'
import type { RouteRule } from '../../../core/shared/side-routes.ts'
import { alias } from './aliases.ts'
import { drawText } from './draw.ts'
import { matchText } from './match-text.ts'
import type { Names } from './names.ts'
import { dividesUsers, usersText } from './users.ts'
import { exactly, packed, quoted } from './words.ts'

/**
 * How a request finds its release: a probe by the weights, then the first rule that it matches, then the user that it
 * belongs to, then the weights. Each is a variable that names the next one where it has nothing to say; nginx works out
 * only those that are asked for.
 */
export function choiceText(routes: ServiceRoutes, names: Names): string[] {
  const { rules, sets, probeKey } = routes
  // Each request is a draw of its own: no two of a program have the same key. `$request_id` would cost about a seventh
  // of all that nginx does for a request.
  const shares = sets.map(({ release, weightPermille }) => ({
    to: names.upstream(release),
    permille: weightPermille,
  }))
  const isPlain = rules.length === 0 && !dividesUsers(routes)
  const chosen = names.variable('chosen')
  return [
    probeText(probeKey, names),
    drawText('$connection-$connection_requests', names.variable('split'), shares),
    ...usersText(routes, names),
    ...rulesText(rules, { names, otherwise: dividesUsers(routes) ? 'seat' : 'split' }),
    ...(isPlain
      ? [
          alias(chosen, names.variable('split')),
          alias(names.variable('by'), 'weight'),
          alias(names.variable('target'), chosen),
        ]
      : [
          `map ${names.variable('probe')} ${chosen} { 1 ${names.variable('split')}; default ${names.variable('rule_0')}; }`,
          `map ${chosen} ${names.variable('by')} { default weight; "~^rule:" rule; }`,
          `map ${chosen} ${names.variable('target')} { default ${chosen}; "~^(?:rule|arm:[^:]*):(.*)$" $1; }`,
        ]),
    releaseText(sets, names),
  ]
}

/** Nobody who sends no such header is held against the expression. */
const probeText = (key: string, names: Names): string =>
  key === ''
    ? alias(names.variable('probe'), '""')
    : `map $http_sluice_probe ${names.variable('probe')} { default ""; "" ""; "~${exactly(key)}" 1; }`

/** Who is sent where, to be told in the log and to probes. */
function releaseText(sets: readonly RouteSet[], names: Names): string {
  const served = sets.filter(hasActive)
  const lines = (value: (release: string) => string) =>
    served.map(({ release }) => `    ${names.upstream(release)} ${value(release)};`)
  return [
    `map ${names.variable('target')} ${names.variable('release')} {`,
    '    default "";',
    ...lines(packed),
    '}',
    `map ${names.variable('target')} ${names.variable('asked')} {`,
    '    default "";',
    ...lines(quoted),
    '}',
    `map ${names.variable('probe')} ${names.variable('told')} { default ""; 1 ${names.variable('asked')}; }`,
  ].join('\n')
}

type Chain = { names: Names; otherwise: 'seat' | 'split' }

function rulesText(rules: readonly RouteRule[], { names, otherwise }: Chain): string[] {
  const texts = rules.map(({ match, release }, at) =>
    matchText(match, {
      names,
      variable: `rule_${at}`,
      hit: `rule:${names.upstream(release)}`,
      miss: names.variable(`rule_${at + 1}`),
    }),
  )
  const last = names.variable(`rule_${rules.length}`)
  return [...texts, alias(last, names.variable(otherwise))]
}
