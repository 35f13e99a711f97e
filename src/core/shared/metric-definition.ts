import * as z from 'zod'
import { DurationMs } from './quantities.ts'

const Percent = z.number().min(0)

/**
 * What a metric counts. `ratio`: bad of total. `rate`: events per exposure. `histogram`: counts per bucket over fixed
 * bounds. `value`: one number that is no count (revenue per minute); it has no statistics and is advisory.
 */
export const METRIC_KINDS = ['ratio', 'rate', 'histogram', 'value'] as const
export type MetricKind = (typeof METRIC_KINDS)[number]

/** The expressions a metric of each kind needs where every number is asked for by itself. */
export const METRIC_PARTS = {
  ratio: ['bad', 'total'],
  rate: ['events', 'exposure'],
  histogram: ['buckets'],
  value: ['value'],
} as const satisfies Record<MetricKind, readonly string[]>
export const ALL_PARTS = ['bad', 'total', 'events', 'exposure', 'buckets', 'value'] as const
export type MetricPart = (typeof ALL_PARTS)[number]

/** One header of a request. A secret is named; its value is looked up when the request is made. */
export const MetricHeader = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('plain'), name: z.string(), value: z.string() }),
  z.object({ kind: z.literal('secret'), name: z.string(), secret: z.string(), prefix: z.string() }),
  /** `Authorization: Basic`, from a user name and the name of the secret with the password. */
  z.object({ kind: z.literal('basic'), user: z.string(), secret: z.string() }),
])
export type MetricHeader = z.infer<typeof MetricHeader>

/** Expressions by part; may hold `{{version}}`, `{{window}}` and the other placeholders. */
const Parts = z.partialRecord(z.enum(ALL_PARTS), z.string())

export const PrometheusQuery = z.object({
  provider: z.literal('prometheus'),
  /** Up to the part before `/api/v1/query`. */
  address: z.url(),
  parts: Parts,
  headers: z.array(MetricHeader),
  /** Answers with warnings are partial: something is missing in them. */
  partial: z.enum(['refuse', 'accept']),
})
export type PrometheusQuery = z.infer<typeof PrometheusQuery>

export const JsonQuery = z.object({
  provider: z.literal('json'),
  /** May hold placeholders, which are escaped for a URL. */
  url: z.string(),
  method: z.enum(['GET', 'POST']),
  /** JSON text; placeholders inside its strings are escaped. */
  body: z.string().nullable(),
  /** JSONPath (RFC 9535) by part; `buckets` names objects with `le` and `count`. */
  parts: Parts,
  headers: z.array(MetricHeader),
})
export type JsonQuery = z.infer<typeof JsonQuery>

export const SqlQuery = z.object({
  provider: z.literal('sql'),
  database: z.discriminatedUnion('kind', [
    /** Name of the secret that holds the address, password included. */
    z.object({ kind: z.literal('postgres'), secret: z.string() }),
    z.object({ kind: z.literal('sqlite'), file: z.string() }),
  ]),
  query: z.string(),
})
export type SqlQuery = z.infer<typeof SqlQuery>

export const CommandQuery = z.object({
  provider: z.literal('command'),
  command: z.array(z.string()).min(1),
  /** Names of secrets that the program gets as variables. */
  secrets: z.array(z.string()),
})
export type CommandQuery = z.infer<typeof CommandQuery>

/** What the data plane counts besides requests and latency. */
export const BUILTIN_COUNTS = [
  'errors',
  '2xx',
  '3xx',
  '4xx',
  '5xx',
  'connectFailures',
  'resets',
  'timeouts',
  'clientAborts',
  'retries',
] as const

export const BuiltinQuery = z.object({
  provider: z.literal('builtin'),
  /** A class of routes (`POST /checkout`); `null` means all requests. */
  route: z.string().nullable(),
  /** What counts as bad (ratio) or as an event (rate). */
  count: z.enum(BUILTIN_COUNTS),
})
export type BuiltinQuery = z.infer<typeof BuiltinQuery>

export const MetricQuery = z.discriminatedUnion('provider', [
  PrometheusQuery,
  JsonQuery,
  SqlQuery,
  CommandQuery,
  BuiltinQuery,
])
export type MetricQuery = z.infer<typeof MetricQuery>
export type ProviderName = MetricQuery['provider']

/** How the candidate may differ. `points` are percentage points. */
const Comparison = {
  tolerance: z.object({ ratio: z.number().min(1), points: Percent }),
  /** The smallest harm that matters: "not worse" means proven to be less than this worse. */
  notice: z.object({ points: Percent }),
}

/** Which way is bad: fewer orders of all visits, or more errors of all requests. */
export const METRIC_DIRECTIONS = ['more-is-worse', 'less-is-worse', 'either'] as const
const Direction = z.enum(METRIC_DIRECTIONS)

export const MetricMeasure = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ratio'), direction: Direction, ...Comparison }),
  z.object({ kind: z.literal('rate'), direction: Direction, ...Comparison }),
  /** Rising upper bounds, inclusive; one more bucket counts what is above. */
  z.object({ kind: z.literal('histogram'), bounds: z.array(z.number()).min(1), ...Comparison }),
  z.object({
    kind: z.literal('value'),
    direction: Direction,
    warningPercent: Percent,
    /** `null`: never rolls back. */
    criticalPercent: Percent.nullable(),
    /** So many of the last windows have to be beyond a limit; absent: the last one alone decides. */
    failureLimit: z.object({ limit: z.int().min(1).max(100), of: z.int().min(1).max(100) }).exactOptional(),
  }),
])
export type MetricMeasure = z.infer<typeof MetricMeasure>

/** What happens when a declared limit of patience is reached. */
export const METRIC_POLICIES = ['hold', 'ignore', 'rollback'] as const
const Policy = z.enum(METRIC_POLICIES)

/** One metric of a service that does not come from the checks that are always made. */
export const MetricDefinition = z.object({
  name: z.string(),
  measure: MetricMeasure,
  query: MetricQuery,
  /** `critical` rolls back, `warning` pauses, `report` is only shown. */
  tier: z.enum(['critical', 'warning', 'report']),
  /** Length of the windows that are asked for, one after the other. */
  everyMs: z.int().min(100),
  /** The end of a window lies this far in the past, because numbers arrive late. */
  delayMs: DurationMs,
  /** One question, all its parts together. */
  timeoutMs: z.int().min(10),
  /** NaN, infinities, negative counts, more bad than total. */
  badValues: z.enum(['failure', 'no-data']),
  /** Nothing was counted for so long. */
  noData: z.object({ afterMs: DurationMs, policy: Policy }),
  /** The provider failed so many times in a row: it is broken, which says nothing about the candidate. */
  trouble: z.object({ failures: z.int().min(1), retryMs: z.int().min(10), policy: Policy }),
})
export type MetricDefinition = z.infer<typeof MetricDefinition>
