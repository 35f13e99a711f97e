import type * as z from 'zod'
import { LATENCY_BOUNDS_MS } from '../core/shared/histogram.ts'
import { METRIC_PARTS, type MetricKind } from '../core/shared/metric-definition.ts'
import { complain } from './complaint.ts'
import { METRIC_DEFAULTS } from './defaults.ts'
import type { MetricKeys } from './schema-metric-keys.ts'
import { msOf } from './units.ts'

export const PROVIDERS = ['prometheus', 'json', 'sql', 'command', 'builtin'] as const

type Refuse = (path: PropertyKey[], message: string, remedy: string) => void

/** What cannot be together in one metric, although each key is fine by itself. */
export function complainAboutMetric(keys: MetricKeys, context: z.RefinementCtx): void {
  const refuse: Refuse = (path, message, remedy) =>
    complain(context, { code: 'CONFIG_CONFLICT', message, remedy }, path)
  checkProvider(keys, context, refuse)
  checkExpressions(keys, refuse)
  checkKind(keys, refuse)
  checkBounds(keys, refuse)
  checkTier(keys, refuse)
  checkTimes(keys, refuse)
}

function checkProvider(keys: MetricKeys, context: z.RefinementCtx, refuse: Refuse): void {
  const [first, second] = PROVIDERS.filter((name) => keys[name] !== undefined)
  const isMisspelt = context.issues.some(({ code }) => code === 'unrecognized_keys')
  if (first === undefined && !isMisspelt)
    complain(context, {
      code: 'CONFIG_MISSING_KEY',
      message: 'does not say where its numbers come from',
      remedy: `Add one of ${PROVIDERS.join(', ')}.`,
    })
  if (second !== undefined)
    refuse(
      [second],
      `stands beside ${first}, but a metric has one provider`,
      'Remove one of the two, or write two metrics.',
    )
  if (keys.sql !== undefined && (keys.sql.database === undefined) === (keys.sql.file === undefined))
    refuse(
      ['sql'],
      keys.sql.file === undefined ? 'names no database' : 'names a server and a file',
      'Write database: NAME_OF_THE_SECRET for PostgreSQL, or file: ./shop.db for SQLite.',
    )
  const { json } = keys
  if (json?.body !== undefined && json.method === 'GET')
    refuse(['json', 'body'], 'is sent with POST only', 'Write method: POST, or remove the body.')
  for (const name of ['prometheus', 'json'] as const) {
    const { user, password, token } = keys[name] ?? {}
    if ((user === undefined) !== (password === undefined))
      refuse(
        [name, user === undefined ? 'password' : 'user'],
        'stands alone',
        'Write user and password together.',
      )
    if (token !== undefined && user !== undefined)
      refuse(
        [name, 'token'],
        'stands beside user, and only one of them can be sent',
        'Remove one of the two.',
      )
  }
}

/** Providers that are asked for each number by itself need an expression for each, and no others. */
function checkExpressions({ kind, prometheus, json }: MetricKeys, refuse: Refuse): void {
  for (const [name, section] of [
    ['prometheus', prometheus],
    ['json', json],
  ] as const) {
    if (section === undefined) continue
    const needed: readonly string[] = METRIC_PARTS[kind]
    for (const part of METRIC_PARTS[kind].filter((one) => partOf(section, one) === undefined))
      refuse(
        [name],
        `has no "${part}", which kind ${kind} needs`,
        `Add ${part}: with the query that gives it.`,
      )
    const stranger = Object.values(METRIC_PARTS)
      .flat()
      .find((part) => !needed.includes(part) && partOf(section, part) !== undefined)
    if (stranger !== undefined)
      refuse([name, stranger], `does not belong to kind ${kind}`, `Kind ${kind} has ${needed.join(' and ')}.`)
  }
}

type Expressions = NonNullable<MetricKeys['prometheus']> | NonNullable<MetricKeys['json']>
const partOf = (section: Expressions, part: (typeof METRIC_PARTS)[MetricKind][number]): string | undefined =>
  section[part]

function checkKind(keys: MetricKeys, refuse: Refuse): void {
  const { kind, builtin } = keys
  for (const name of ['tolerance', 'notice'] as const)
    if (kind === 'value' && keys[name] !== undefined)
      refuse([name], 'does not belong to kind value, which has no statistics', 'Write deviation instead.')
  if (kind === 'histogram' && keys.direction !== undefined)
    refuse(
      ['direction'],
      'does not belong to kind histogram, of which more in the higher buckets is worse',
      'Remove it.',
    )
  if (kind !== 'value' && keys.deviation !== undefined)
    refuse(['deviation'], `belongs to kind value, and this is kind ${kind}`, 'Write tolerance instead.')
  if (kind !== 'value' && keys.failureLimit !== undefined)
    refuse(
      ['failureLimit'],
      `belongs to kind value, and this is kind ${kind}`,
      'Remove it: evidence of counts adds up by itself.',
    )
  const { limit, of } = keys.failureLimit ?? {}
  if (limit !== undefined && of !== undefined && limit > of)
    refuse(['failureLimit', 'limit'], `is ${limit} of the last ${of}, which is never`, 'Write at most "of".')
  if (kind !== 'histogram' && keys.bounds !== undefined)
    refuse(['bounds'], `belongs to kind histogram, and this is kind ${kind}`, 'Remove it.')
  if (builtin === undefined) return
  if (kind === 'value')
    refuse(['builtin'], 'counts, and has no values', 'Write kind: ratio, rate or histogram.')
  if (kind === 'histogram' && builtin.count !== undefined)
    refuse(['builtin', 'count'], 'does not belong to kind histogram, which is the latency', 'Remove it.')
  if (kind === 'ratio' && builtin.count === 'retries')
    refuse(['builtin', 'count'], 'is retries, of which one request can have several', 'Write kind: rate.')
}

function checkBounds({ kind, bounds, builtin }: MetricKeys, refuse: Refuse): void {
  if (kind !== 'histogram') return
  if (bounds === undefined) {
    if (builtin === undefined)
      refuse(
        ['kind'],
        'is histogram, which needs bounds',
        'Add the upper bounds of the buckets, for example bounds: [0.1, 0.5, 1].',
      )
    return
  }
  const falling = bounds.findIndex((bound, index) => index > 0 && bound <= (bounds[index - 1] ?? 0))
  if (falling > 0)
    refuse(
      ['bounds', falling],
      `is ${bounds[falling]}, not above the bound before it`,
      'Order the bounds by size.',
    )
  const known: readonly number[] = LATENCY_BOUNDS_MS
  const stranger = builtin === undefined ? -1 : bounds.findIndex((bound) => !known.includes(bound))
  if (stranger >= 0)
    refuse(
      ['bounds', stranger],
      `is ${bounds[stranger]}, which is no bound of the latency histogram`,
      `Choose from ${known.join(', ')} (milliseconds).`,
    )
}

/** Only what may roll back by its numbers may do so without them. */
function checkTier(keys: MetricKeys, refuse: Refuse): void {
  const tier = keys.tier ?? METRIC_DEFAULTS.tier
  const critical = keys.deviation?.critical ?? 'off'
  for (const name of ['onNoData', 'onTrouble'] as const)
    if (tier !== 'critical' && keys[name]?.policy === 'rollback')
      refuse(
        [name, 'policy'],
        `is rollback, but the tier is ${tier}`,
        'Write tier: critical, or policy: hold.',
      )
  if (keys.kind !== 'value') return
  if (tier === 'critical' && critical === 'off')
    refuse(
      ['tier'],
      'is critical, but deviation.critical is off',
      'Say how far is too far: deviation: { critical: 30% }.',
    )
  if (tier !== 'critical' && critical !== 'off')
    refuse(
      ['deviation', 'critical'],
      `is set, but the tier is ${tier}`,
      'Write tier: critical, or remove it.',
    )
  if (
    critical !== 'off' &&
    critical < (keys.deviation?.warning ?? Number.parseFloat(METRIC_DEFAULTS.deviation.warning))
  )
    refuse(['deviation', 'critical'], 'is below the warning', 'Write a warning that comes first.')
}

function checkTimes({ every, timeout, onTrouble }: MetricKeys, refuse: Refuse): void {
  const everyMs = every ?? msOf(METRIC_DEFAULTS.every)
  if ((timeout ?? msOf(METRIC_DEFAULTS.timeout)) > everyMs)
    refuse(
      timeout === undefined ? ['every'] : ['timeout'],
      timeout === undefined
        ? `is shorter than the timeout, ${METRIC_DEFAULTS.timeout}`
        : 'is longer than "every", so that questions would overtake each other',
      'Write a timeout that is at most as long as "every".',
    )
  if (onTrouble?.retry !== undefined && onTrouble.retry > everyMs)
    refuse(['onTrouble', 'retry'], 'is longer than "every"', 'Write a shorter time.')
}
