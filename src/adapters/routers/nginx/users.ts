import type { RouteSet, ServiceRoutes } from '../../../core/shared/routes.ts'
import { type Seats, seatOfOthers, seatsOf } from '../../../core/shared/seats.ts'
import type { StickyRoute, VariantRoute } from '../../../core/shared/side-routes.ts'
import { CONTROL_WORD, saltWord } from '../../tools/log-arms.ts'
import { alias } from './aliases.ts'
import { drawText } from './draw.ts'
import { cookieText, headerNamed, matchText } from './match-text.ts'
import type { Names } from './names.ts'
import { fitting, quoted } from './words.ts'

type Assignment = Extract<StickyRoute, { kind: 'assign' }>

/** As we give them ourselves (`src/proxy/sticky.ts`); what is none of ours gets a new one. */
const USER = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
/** As the file allows them. It goes into a header and into the log. */
const VARIANT = /^[a-z][a-z0-9-]{0,30}$/
const GOAL_METHOD = /^[A-Z]{1,20}$/
const HEADER = /^[A-Za-z0-9_-]+$/

/** Why nginx cannot look at it, or `null`. */
export const whyNotHeader = (name: string): string | null =>
  HEADER.test(name) ? null : `nginx cannot look at the header ${name}: it knows letters, digits, - and _.`

/** Why nginx cannot tell these users apart, or `null`. */
export function whyNotUsers({ sticky }: Pick<ServiceRoutes, 'sticky'>): string | null {
  const test = sticky?.kind === 'assign' ? sticky.test : undefined
  if (test === undefined) return null
  const odd = test.variants.find(({ name }) => !VARIANT.test(name))
  if (odd !== undefined) return `${JSON.stringify(odd.name)} cannot be the name of a variant.`
  if (!GOAL_METHOD.test(test.goal.method))
    return `${JSON.stringify(test.goal.method)} is not the method of a request.`
  const looks = [...(test.where ?? []).flat(), ...(test.by === null ? [] : [test.by])]
  const whys = looks.map(({ in: place, name }) => (place === 'header' ? whyNotHeader(name) : null))
  return whys.find((why) => why !== null) ?? null
}

/** Users are told apart: with all weight on one side everybody is there. */
export const dividesUsers = ({ sticky, sets }: Pick<ServiceRoutes, 'sticky' | 'sets'>): boolean =>
  sticky?.kind === 'assign' && seatsOf(sticky, sets).divides

/**
 * Users keep their version as with the built-in proxy: a random id in a cookie, or what the service says about them, its
 * hash a point on a line on which the weights lie beside each other, the candidate's first. The hash is nginx's own, so
 * after a change of the router a user may find another version.
 */
export function usersText({ sticky, sets }: ServiceRoutes, names: Names): string[] {
  if (sticky === null) return [nothing('set_cookie', names), ...untested(names)]
  if (sticky.kind === 'expire')
    return [
      cookieText(sticky.cookie, names.variable('cookie')),
      answerText(names, { when: `"~^-weight-1-="`, cookie: setCookie(sticky.cookie, '', 0) }),
      ...untested(names),
    ]
  const seats = seatsOf(sticky, sets)
  if (!seats.divides) return [nothing('set_cookie', names), ...untested(names)]
  return assignedText(sticky, { seats, sets, names })
}

type Seating = { seats: Seats; sets: readonly RouteSet[]; names: Names }

function assignedText(sticky: Assignment, { seats, names }: Seating): string[] {
  const test = sticky.test ?? null
  const by = test?.by ?? null
  const others = seatOfOthers(seats)
  const outside = others === null ? names.variable('split') : `rule:${names.upstream(others.release)}`
  const parts = seats.line.map(({ release, variant, permille }) => ({
    to: `${seats.tests ? `arm:${variant ?? CONTROL_WORD}:` : ''}${names.upstream(release)}`,
    permille,
  }))
  const salt = quoted(sticky.salt).slice(1, -1)
  return [
    ...(by === null ? ownCookieText(sticky, names) : namedText(by, { names, outside })),
    drawText(`${salt}/${names.within('user')}`, names.variable('kept'), parts),
    ...whereText(test?.where ?? [], { names, outside, member: names.variable('member') }),
    ...(seats.tests && test !== null ? armText(sticky, test, names) : untested(names)),
  ]
}

/** Who has none of ours gets one. */
function ownCookieText({ cookie, forMs }: Assignment, names: Names): string[] {
  const variable = (name: string): string => names.variable(name)
  return [
    cookieText(cookie, variable('cookie')),
    `map ${variable('cookie')} ${variable('known')} { default new; "~^=${USER}\\z" known; }`,
    `map $request_id ${variable('fresh')} { default ""; "~^(.{8})(.{4})(.{4})(.{4})(.{12})$" $1-$2-$3-$4-$5; }`,
    `map ${variable('cookie')} ${variable('user')} { default ${variable('fresh')}; "~^=(${USER})\\z" $1; }`,
    alias(variable('member'), variable('kept')),
    answerText(names, {
      when: `"~^-weight-1-new$"`,
      cookie: setCookie(cookie, names.within('user'), forMs),
      state: variable('known'),
    }),
  ]
}

/** The service says who the user is; who does not say so takes no part. */
function namedText(
  { in: place, name }: NonNullable<VariantRoute['by']>,
  { names, outside }: { names: Names; outside: string },
): string[] {
  const user = names.variable('user')
  const source =
    place === 'header'
      ? [`map ${headerNamed(name)} ${user} { default ${headerNamed(name)}; }`]
      : [
          cookieText(name, names.variable('cookie')),
          `map ${names.variable('cookie')} ${user} { default ""; "~^=(.*)\\z" $1; }`,
        ]
  return [
    ...source,
    `map ${user} ${names.variable('member')} { default ${names.variable('kept')}; "" ${outside}; }`,
    nothing('known', names),
    nothing('set_cookie', names),
  ]
}

/** Of each group one has to match: the first that does leads to the next group. */
function whereText(
  where: NonNullable<VariantRoute['where']>,
  { names, outside, member }: { names: Names; outside: string; member: string },
): string[] {
  const entry = (group: number): string =>
    group === where.length ? member : names.variable(`group_${group}_0`)
  const texts = where.flatMap((group, number) =>
    group.map((match, at) =>
      matchText(match, {
        names,
        variable: `group_${number}_${at}`,
        hit: entry(number + 1),
        miss: at === group.length - 1 ? outside : names.variable(`group_${number}_${at + 1}`),
      }),
    ),
  )
  return [...texts, alias(names.variable('seat'), entry(0))]
}

/** The release is told the variant, and the log what came of it (`readVisit` in `log-arms.ts`). */
function armText({ cookie, salt, forMs }: Assignment, { goal }: VariantRoute, names: Names): string[] {
  const word = saltWord(salt)
  const variable = (name: string): string => names.variable(name)
  const mark = `${cookie}-goal`
  return [
    `map ${variable('chosen')} ${variable('arm')} { default ""; "~^arm:([^:]*):" $1; }`,
    `map ${variable('arm')} ${variable('variant')} { default ${variable('arm')}; ${CONTROL_WORD} ""; }`,
    `map $sluice_whole_path ${variable('at_goal')} { default ""; "~${fitting(goal.path)}" 1; }`,
    cookieText(mark, variable('mark')),
    `map "$request_method:${names.within('at_goal')}:${names.within('mark')}" ${variable('goal')} { default ""; "~^${goal.method}:1:(?!=${word}$)" 1; }`,
    `map "${names.within('arm')}:${names.within('goal')}:$status" ${variable('mark_cookie')} { default ""; "~^[^:]+:1:[123]" ${setCookie(mark, word, forMs)}; }`,
    `map ${variable('known')} ${variable('is_new')} { default ""; new 1; }`,
    `map ${variable('arm')} ${variable('visit')} { default "${word}:${names.within('arm')}:${names.within('is_new')}:${names.within('goal')}"; "" ""; }`,
  ]
}

const nothing = (name: string, names: Names): string => alias(names.variable(name), '""')

const untested = (names: Names): string[] =>
  ['variant', 'visit', 'mark_cookie'].map((name) => nothing(name, names))

type CookieAnswer = { when: string; cookie: string; state?: string }

/** A cookie for those that neither are probes nor follow a rule, and on no answer that is meant for everybody. */
function answerText(names: Names, { when, cookie, state = names.variable('cookie') }: CookieAnswer): string {
  const who = `${names.variable('probe')}-${names.variable('by')}-$sluice_private-${state}`
  return `map "${who}" ${names.variable('set_cookie')} { default ""; ${when} ${cookie}; }`
}

function setCookie(name: string, value: string, maxAgeMs: number): string {
  const attributes = `Path=/; Max-Age=${Math.ceil(maxAgeMs / 1000)}; HttpOnly; SameSite=Lax`
  return `${quoted(`${name}=`).slice(0, -1)}${value}; ${attributes}"`
}
