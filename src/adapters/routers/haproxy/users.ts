import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { seatOfOthers, seatsOf } from '../../../core/shared/seats.ts'
import type { VariantRoute } from '../../../core/shared/side-routes.ts'
import { CONTROL_WORD, saltWord } from '../../tools/log-arms.ts'
import { KEYS, type MapEntry, slotIn } from './keys.ts'
import { mapOf } from './names.ts'
import type { Placed } from './own.ts'
import { conditionOf, valueFits, whyNot, whyNotNamed } from './rule-text.ts'

/** Ids that we gave (`src/proxy/sticky.ts`): anything else is somebody's invention and gets a new one. */
const ID = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
/** As the file allows them. It goes into a header and into the log. */
const VARIANT = /^[a-z][a-z0-9-]{0,30}$/
const GOAL_METHOD = /^[A-Z]{1,20}$/

/** Why HAProxy cannot tell these users apart, or `null`. */
export function whyNotUsers({ sticky }: Pick<ServiceRoutes, 'sticky'>): string | null {
  if (sticky === null) return null
  const named = whyNotNamed('cookie', sticky.cookie)
  const test = sticky.kind === 'assign' ? sticky.test : undefined
  return named ?? (test === undefined ? null : whyNotTest(test))
}

function whyNotTest({ by, where = [], variants, goal }: VariantRoute): string | null {
  const odd = variants.find(({ name }) => !VARIANT.test(name))
  if (odd !== undefined) return `${JSON.stringify(odd.name)} cannot be the name of a variant.`
  if (!GOAL_METHOD.test(goal.method)) return `${JSON.stringify(goal.method)} is not the method of a request.`
  if (by !== null && whyNotNamed(by.in, by.name) !== null) return whyNotNamed(by.in, by.name)
  return (
    where
      .flat()
      .map(whyNot)
      .find((why) => why !== null) ?? null
  )
}

/** What the map says about users: it is swapped with the weights, so that one and the same request sees all of it. */
export function userEntries({ routes, place }: Placed): MapEntry[] {
  const { sticky, sets } = routes
  if (sticky === null) return []
  if (sticky.kind === 'expire') return [{ key: `${KEYS.expire}`, value: '1' }]
  const seats = seatsOf(sticky, sets)
  // With all weight on one side everybody is there.
  if (!seats.divides) return []
  const slot = slotIn({ routes, place })
  const others = seatOfOthers(seats)
  return [
    { key: `${KEYS.salt}`, value: saltWord(sticky.salt) },
    { key: `${KEYS.lifeS}`, value: `${Math.ceil(sticky.forMs / 1000)}` },
    ...(others === null ? [] : [{ key: `${KEYS.others}`, value: slot(others.release) }]),
    ...(seats.tests ? armEntries(seats.line) : []),
  ]
}

function armEntries(line: readonly { variant: string | null; permille: number }[]): MapEntry[] {
  let from: number = KEYS.arm
  return line.flatMap(({ variant, permille }) => {
    if (permille === 0) return []
    const key = `${from}:${from + permille - 1}`
    from += permille
    return [{ key, value: variant ?? CONTROL_WORD }]
  })
}

/**
 * Between the rules and the weights. A user is a random id in a cookie, or what the service says about them; a hash of it is
 * a point among the weights, as with the built-in proxy. Whether users are told apart at all stands in the map, so that
 * a service whose cookie HAProxy knows is not reloaded for it. `mine` holds for requests of this service only.
 */
export function userLines({ routes, place }: Placed, undecided: string, mine: string): string[] {
  const { cookie } = place
  if (cookie === null) return []
  const map = mapOf(routes.service)
  const test = routes.sticky?.kind === 'assign' ? (routes.sticky.test ?? null) : null
  const by = test?.by ?? null
  const told = (key: number): string => `int(${key}),map_int(${map})`
  return [
    `set-var(txn.salt) ${told(KEYS.salt)} if ${undecided}`,
    `set-var(txn.life) ${told(KEYS.lifeS)} if { var(txn.salt) -m found }`,
    ...(test === null ? [] : participantLines(test)),
    ...(by === null ? cookieLines(cookie) : namedLines(by)),
    ...(test === null
      ? []
      : [
          'unset-var(txn.salt) if { var(txn.out) -m found }',
          `set-var(txn.to) ${told(KEYS.others)} if { var(txn.out) -m found }`,
          'set-var(txn.way) str(r) if { var(txn.out) -m found }',
        ]),
    'set-var(txn.point) var(txn.salt),concat(/,txn.user),xxh32,mod(1000) if { var(txn.salt) -m found } { var(txn.user) -m found }',
    `set-var(txn.to) var(txn.point),map_int(${map}) if { var(txn.point) -m found }`,
    ...(test === null ? [] : armLines(test, cookie, map)),
    `set-var(txn.taken) ${told(KEYS.expire)} if ${undecided} { req.cook(${cookie}) -m found }`,
  ].map((line) => `${line}${mine}`)
}

function cookieLines(cookie: string): string[] {
  const isAsked = '{ var(txn.salt) -m found } !{ var(txn.out) -m found }'
  return [
    `set-var(txn.user) req.cook(${cookie}) if ${isAsked}`,
    `unset-var(txn.user) if { var(txn.user) -m found } !{ var(txn.user) -m reg ${ID} }`,
    `set-var(txn.fresh) uuid if ${isAsked} !{ var(txn.user) -m found }`,
    'set-var(txn.user) var(txn.fresh) if { var(txn.fresh) -m found }',
  ]
}

/** The service says who the user is; who does not say so takes no part. */
const namedLines = ({ in: place, name }: NonNullable<VariantRoute['by']>): string[] => [
  `set-var(txn.user) ${place === 'header' ? 'req.fhdr' : 'req.cook'}(${name}) if { var(txn.salt) -m found }`,
  'unset-var(txn.user) if { var(txn.user) -m found } { var(txn.user),length eq 0 }',
  'set-var(txn.out) bool(true) if { var(txn.salt) -m found } !{ var(txn.user) -m found }',
]

/** Of each group one has to match. */
const participantLines = ({ where = [] }: VariantRoute): string[] =>
  where.flatMap((group, at) => [
    ...group.map(
      (match) => `set-var(txn.in${at}) bool(true) if { var(txn.salt) -m found } ${conditionOf(match)}`,
    ),
    `set-var(txn.out) bool(true) if { var(txn.salt) -m found } !{ var(txn.in${at}) -m found }`,
  ])

/** The release is told the variant, and the log what came of it (`readVisit` in `log-arms.ts`). */
function armLines({ goal }: VariantRoute, cookie: string, map: string): string[] {
  const isCounted = '{ var(txn.arm) -m found }'
  const isGoal = `{ method -m str ${goal.method} } ${valueFits('path', goal.path)}`
  return [
    `set-var(txn.arm) var(txn.point),add(${KEYS.arm}),map_int(${map}) if { var(txn.point) -m found }`,
    `set-header sluice-variant %[var(txn.arm)] if ${isCounted} !{ var(txn.arm) -m str ${CONTROL_WORD} }`,
    `set-var(txn.goal) bool(true) if ${isCounted} ${isGoal} !{ req.cook(${goalCookie(cookie)}),strcmp(txn.salt) eq 0 }`,
    `set-var-fmt(txn.visit) "%[var(txn.salt)]:%[var(txn.arm)]:%[var(txn.fresh),length]:%[var(txn.goal)]" if ${isCounted}`,
  ]
}

/** Each user counts once: the mark names the test, so that the next one counts anew. */
const goalCookie = (cookie: string): string => `${cookie}-goal`

/** Cookies on answers, but on none that is meant for everybody: a cache would hand one user's to all. */
export function cookieAnswerLines({ routes, place }: Placed, mine: string): string[] {
  const { cookie } = place
  if (cookie === null) return []
  const isPrivate = '!{ res.hdr(cache-control) -m sub -i public s-maxage }'
  const isTest = routes.sticky?.kind === 'assign' && routes.sticky.test !== undefined
  const lines = [
    `${setCookie(cookie, '%[var(txn.fresh)]', '%[var(txn.life)]')} if { var(txn.fresh) -m found } ${isPrivate}`,
    `${setCookie(cookie, '', '0')} if { var(txn.taken) -m found } ${isPrivate}`,
    ...(isTest
      ? [
          `${setCookie(goalCookie(cookie), '%[var(txn.salt)]', '%[var(txn.life)]')} if { var(txn.goal) -m found } { status lt 400 }`,
        ]
      : []),
  ]
  return lines.map((line) => `${line}${mine}`)
}

/** As the built-in proxy sets them (`src/proxy/cookie.ts`). */
const setCookie = (name: string, value: string, maxAgeS: string): string =>
  `add-header set-cookie "${name.replaceAll('%', '%%')}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Lax"`
