import { LATENCY_BOUNDS_MS } from '../core/shared/histogram.ts'
import {
  ALL_PARTS,
  type MetricDefinition,
  type MetricHeader,
  type MetricMeasure,
  type MetricPart,
  type MetricQuery,
} from '../core/shared/metric-definition.ts'
import { METRIC_DEFAULTS } from './defaults.ts'
import type { MetricKeys } from './schema-metric-keys.ts'
import { msOf, readPercent } from './units.ts'

/** The metric with every default filled in. What cannot be together was refused before. */
export function definitionOf(keys: MetricKeys): MetricDefinition {
  const { onNoData, onTrouble } = METRIC_DEFAULTS
  return {
    name: keys.name,
    measure: measureOf(keys),
    query: queryOf(keys),
    tier: keys.tier ?? METRIC_DEFAULTS.tier,
    everyMs: keys.every ?? msOf(METRIC_DEFAULTS.every),
    delayMs: keys.delay ?? msOf(METRIC_DEFAULTS.delay),
    timeoutMs: keys.timeout ?? msOf(METRIC_DEFAULTS.timeout),
    badValues: keys.badValues ?? METRIC_DEFAULTS.badValues,
    noData: {
      afterMs: keys.onNoData?.after ?? msOf(onNoData.after),
      policy: keys.onNoData?.policy ?? onNoData.policy,
    },
    trouble: {
      failures: keys.onTrouble?.failures ?? onTrouble.failures,
      retryMs: keys.onTrouble?.retry ?? msOf(onTrouble.retry),
      policy: keys.onTrouble?.policy ?? onTrouble.policy,
    },
  }
}

function measureOf({
  kind,
  direction,
  tolerance,
  notice,
  bounds,
  deviation,
  failureLimit,
}: MetricKeys): MetricMeasure {
  const comparison = {
    tolerance: {
      ratio: tolerance?.ratio ?? METRIC_DEFAULTS.tolerance.ratio,
      points: tolerance?.points ?? percentOf(METRIC_DEFAULTS.tolerance.points),
    },
    notice: { points: notice ?? percentOf(METRIC_DEFAULTS.notice) },
  }
  switch (kind) {
    case 'ratio':
    case 'rate':
      return { kind, direction: direction ?? 'more-is-worse', ...comparison }
    case 'histogram':
      return { kind, bounds: bounds ?? [...LATENCY_BOUNDS_MS], ...comparison }
    case 'value': {
      const critical = deviation?.critical ?? METRIC_DEFAULTS.deviation.critical
      return {
        kind,
        direction: direction ?? 'less-is-worse',
        warningPercent: deviation?.warning ?? percentOf(METRIC_DEFAULTS.deviation.warning),
        criticalPercent: critical === 'off' ? null : critical,
        failureLimit: failureLimitOf(failureLimit),
      }
    }
  }
}

/** A larger `limit` alone widens the look back with it. */
function failureLimitOf({ limit, of }: NonNullable<MetricKeys['failureLimit']> = {}) {
  const { limit: usual, of: usualOf } = METRIC_DEFAULTS.failureLimit
  return { limit: limit ?? Math.min(usual, of ?? usual), of: of ?? Math.max(usualOf, limit ?? usual) }
}

function queryOf({ prometheus, json, sql, command, builtin }: MetricKeys): MetricQuery {
  if (prometheus !== undefined)
    return {
      provider: 'prometheus',
      address: prometheus.address,
      parts: partsOf(prometheus),
      headers: headersOf(prometheus),
      partial: prometheus.partial ?? 'refuse',
    }
  if (json !== undefined)
    return {
      provider: 'json',
      url: json.url,
      method: json.method ?? (json.body === undefined ? 'GET' : 'POST'),
      body: json.body ?? null,
      parts: partsOf(json),
      headers: headersOf(json),
    }
  if (sql !== undefined)
    return {
      provider: 'sql',
      query: sql.query,
      database:
        sql.database === undefined
          ? { kind: 'sqlite', file: sql.file ?? '' }
          : { kind: 'postgres', secret: sql.database },
    }
  if (command !== undefined)
    return { provider: 'command', command: command.run, secrets: command.secrets ?? [] }
  return { provider: 'builtin', route: builtin?.route ?? null, count: builtin?.count ?? 'errors' }
}

function partsOf(
  section: Partial<Record<MetricPart, string | undefined>>,
): Partial<Record<MetricPart, string>> {
  const parts: Partial<Record<MetricPart, string>> = {}
  for (const name of ALL_PARTS) {
    const text = section[name]
    if (text !== undefined) parts[name] = text
  }
  return parts
}

type Credentials = Pick<NonNullable<MetricKeys['json']>, 'token' | 'user' | 'password' | 'headers'>

function headersOf({ token, user, password, headers = {} }: Credentials): MetricHeader[] {
  const own = Object.entries(headers).map(
    ([name, value]): MetricHeader =>
      typeof value === 'string'
        ? { kind: 'plain', name, value }
        : { kind: 'secret', name, secret: value.secret, prefix: value.prefix ?? '' },
  )
  return [
    ...own,
    ...(token === undefined
      ? []
      : [{ kind: 'secret' as const, name: 'Authorization', secret: token, prefix: 'Bearer ' }]),
    ...(user === undefined || password === undefined
      ? []
      : [{ kind: 'basic' as const, user, secret: password }]),
  ]
}

function percentOf(text: string): number {
  const reading = readPercent(text)
  if (reading.kind === 'refused') throw new Error(`the default ${text} is no percentage`)
  return reading.value
}
