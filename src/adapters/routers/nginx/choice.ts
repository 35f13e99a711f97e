import type { RouteSet, ServiceRoutes } from '../../../core/shared/routes.ts'
import { hasActive } from '../../../core/shared/routes.ts'
import type { RouteRule } from '../../../core/shared/side-routes.ts'
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
  // Each request is a draw of its own: no two of a program have the same key. `$request_id` would cost a fifth of all
  // that nginx does for a request.
  const shares = sets.map(({ release, weightPermille }) => ({
    to: names.upstream(release),
    permille: weightPermille,
  }))
  // Nobody who sends no such header is held against the expression.
  const probe = probeKey === '' ? [] : [`"" ""; "~${exactly(probeKey)}" 1;`]
  const isPlain = rules.length === 0 && !dividesUsers(routes)
  const chosen = names.variable('chosen')
  return [
    `map $http_sluice_probe ${names.variable('probe')} { default ""; ${probe.join(' ')} }`,
    drawText('$connection-$connection_requests', names.variable('split'), shares),
    ...usersText(routes, names),
    ...rulesText(rules, { names, otherwise: dividesUsers(routes) ? 'seat' : 'split' }),
    `map ${names.variable('probe')} ${chosen} { 1 ${names.variable('split')}; default ${names.variable('rule_0')}; }`,
    ...(isPlain
      ? [
          `map "" ${names.variable('by')} { default weight; }`,
          `map "" ${names.variable('target')} { default ${chosen}; }`,
        ]
      : [
          `map ${chosen} ${names.variable('by')} { default weight; "~^rule:" rule; }`,
          `map ${chosen} ${names.variable('target')} { default ${chosen}; "~^(?:rule|arm:[^:]*):(.*)$" $1; }`,
        ]),
    releaseText(sets, names),
  ]
}

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
    `map ${names.variable('probe')}${names.variable('target')} ${names.variable('told')} {`,
    '    default "";',
    ...served.map(({ release }) => `    1${names.upstream(release)} ${quoted(release)};`),
    '}',
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
  return [...texts, `map "" ${last} { default ${names.variable(otherwise)}; }`]
}
