import type { RouteSet, ServiceRoutes } from '../../../core/shared/routes.ts'
import { hasActive } from '../../../core/shared/routes.ts'
import type { RouteRule, StickyRoute } from '../../../core/shared/side-routes.ts'
import { formatWeight, TOTAL_PERMILLE } from '../../../core/shared/weight.ts'
import { cookieNamed, exactly, fitting, nameOf, packed, quoted } from './words.ts'

/** The names of nginx's variables and upstreams for one service. */
export class Names {
  readonly service: string
  private readonly stem: string

  constructor(service: string) {
    this.service = service
    this.stem = `sluice_${nameOf(service)}`
  }

  /** `$sluice_shop_1a2b3c4d_split` */
  variable(name: string): string {
    return `$${this.stem}_${name}`
  }

  upstream(release: string): string {
    return `sluice_${nameOf(`${this.service} ${release}`)}`
  }

  format(way: 'live' | 'preview'): string {
    return `${this.stem}_${way}`
  }
}

/**
 * How a request finds its release: a probe by the weights, then the first rule that it matches, then the user that it
 * belongs to, then the weights. Each is a variable that names the next one where it has nothing to say; nginx works out
 * only those that are asked for.
 */
export function choiceText(routes: ServiceRoutes, names: Names): string[] {
  const { rules, sticky, sets, probeKey } = routes
  const probe = probeKey === '' ? [] : [`"~${exactly(probeKey)}" 1;`]
  return [
    `map $http_sluice_probe ${names.variable('probe')} { default ""; ${probe.join(' ')} }`,
    splitText('$request_id', names.variable('split'), sets, names),
    ...stickyText(sticky, sets, names),
    ...rulesText(rules, { names, otherwise: isAssigning(sticky) ? 'seat' : 'split' }),
    `map ${names.variable('probe')} ${names.variable('chosen')} { 1 ${names.variable('split')}; default ${names.variable('rule_0')}; }`,
    `map ${names.variable('chosen')} ${names.variable('by')} { default weight; "~^rule:" rule; }`,
    `map ${names.variable('chosen')} ${names.variable('target')} { default ${names.variable('chosen')}; "~^rule:(.*)$" $1; }`,
    releaseText(sets, names),
  ]
}

/**
 * Shares by chance, in nginx's own words: it knows no share of zero, so a set without weight is not named, and the last
 * one takes what is left. Drawn by `$request_id`, which is random, each request is a draw of its own.
 */
function splitText(key: string, variable: string, sets: readonly RouteSet[], names: Names): string {
  const weighted = sets.filter(({ weightPermille }) => weightPermille > 0)
  const lines = weighted.map(({ release, weightPermille }, at) => {
    const share = at === weighted.length - 1 ? '*' : formatWeight(weightPermille)
    return `    ${share} ${names.upstream(release)};`
  })
  return [
    `split_clients "${key}" ${variable} {`,
    ...(lines.length === 0 ? ['    * none;'] : lines),
    '}',
  ].join('\n')
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
  const texts = rules.map(({ match, release }, at) => {
    const fits = match.kind === 'exact' ? exactly(match.value) : fitting(match.pattern)
    const to = `rule:${names.upstream(release)}`
    const next = names.variable(`rule_${at + 1}`)
    if (match.in === 'header') {
      // Absent and empty are the same to nginx, so an empty header fits nothing.
      const source = `$http_${match.name.toLowerCase().replaceAll('-', '_')}`
      return `map ${source} ${names.variable(`rule_${at}`)} { default ${next}; "" ${next}; "~${fits}" ${to}; }`
    }
    const value = names.variable(`cookie_${at}`)
    return [
      `map $http_cookie ${value} { default ""; "~${cookieNamed(match.name)}" =$1; }`,
      `map ${value} ${names.variable(`rule_${at}`)} { default ${next}; "~${afterEquals(fits)}" ${to}; }`,
    ].join('\n')
  })
  const last = names.variable(`rule_${rules.length}`)
  return [...texts, `map "" ${last} { default ${names.variable(otherwise)}; }`]
}

/** A cookie that is there begins with `=`, so that an empty one differs from none. */
const afterEquals = (expression: string): string => expression.replace('^', '^=')

const isAssigning = (sticky: StickyRoute | null): boolean => sticky?.kind === 'assign'

/** As we give them ourselves (`src/proxy/sticky.ts`); what is none of ours gets a new one. */
const USER = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

/**
 * Users keep their version as with the built-in proxy: a random id in a cookie, its hash a point on a line on which the
 * weights lie beside each other, the candidate's first. The hash is nginx's own, so after a change of the router a user may
 * find another version.
 */
function stickyText(sticky: StickyRoute | null, sets: readonly RouteSet[], names: Names): string[] {
  const cookie = names.variable('cookie')
  if (sticky === null) return [`map "" ${names.variable('set_cookie')} { default ""; }`]
  const found = `map $http_cookie ${cookie} { default ""; "~${cookieNamed(sticky.cookie)}" =$1; }`
  if (sticky.kind === 'expire')
    return [found, givenText(names, `"~^-weight-="`, cookieText(sticky.cookie, '', 0))]
  const [user, fresh, known] = ['user', 'new', 'known'].map((name) => names.variable(name))
  const first = sets.filter(({ release }) => release === sticky.release)
  const divides = sets.every(({ weightPermille }) => weightPermille < TOTAL_PERMILLE)
  const whole = `map ${cookie} ${names.variable('seat')} { default ${names.variable('split')}; "~^=${USER}\\z" ${names.variable('kept')}; }`
  return [
    found,
    `map ${cookie} ${known} { default new; "~^=${USER}\\z" known; }`,
    `map $request_id ${fresh} { default ""; "~^(.{8})(.{4})(.{4})(.{4})(.{12})$" $1-$2-$3-$4-$5; }`,
    `map ${cookie} ${user} { default ${fresh}; "~^=(${USER})\\z" $1; }`,
    splitText(
      `${quoted(sticky.salt).slice(1, -1)}/\${${`${user}`.slice(1)}}`,
      names.variable('kept'),
      [...first, ...sets.filter(({ release }) => release !== sticky.release)],
      names,
    ),
    divides ? `map "" ${names.variable('seat')} { default ${names.variable('kept')}; }` : whole,
    divides
      ? givenText(
          names,
          `"~^-weight-new"`,
          cookieText(sticky.cookie, `\${${`${user}`.slice(1)}}`, sticky.forMs),
          known,
        )
      : `map "" ${names.variable('set_cookie')} { default ""; }`,
  ]
}

/** A cookie for those that neither are probes nor follow a rule. */
function givenText(names: Names, when: string, value: string, state = names.variable('cookie')): string {
  const who = `${names.variable('probe')}-${names.variable('by')}-${state}`
  return `map "${who}" ${names.variable('set_cookie')} { default ""; ${when} ${value}; }`
}

function cookieText(name: string, value: string, maxAgeMs: number): string {
  const attributes = `Path=/; Max-Age=${Math.ceil(maxAgeMs / 1000)}; HttpOnly; SameSite=Lax`
  return `${quoted(`${name}=`).slice(0, -1)}${value}; ${attributes}"`
}
