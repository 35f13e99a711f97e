import * as z from 'zod'
import { Name } from '../core/release/settings.ts'
import { METRIC_DIRECTIONS, METRIC_KINDS, METRIC_POLICIES } from '../core/shared/metric-definition.ts'
import { METRIC_DEFAULTS } from './defaults.ts'
import { duration, percent, percentOrOff } from './scalars.ts'
import {
  BuiltinSection,
  CommandSection,
  JsonSection,
  PrometheusSection,
  SqlSection,
} from './schema-metric-providers.ts'

const MAX_BOUNDS = 100
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const policy = (of: string) =>
  z
    .enum(METRIC_POLICIES)
    .meta({ title: 'hold, ignore or rollback', default: of })
    .describe('What a rollout shall do then: stay at its step, go on without the metric, or go back.')
    .optional()

export const MetricKeys = z.strictObject({
  name: Name.meta({ title: 'name' }).describe('Name of the metric: lower-case letters, digits and dashes.'),
  kind: z
    .enum(METRIC_KINDS)
    .meta({ title: 'ratio, rate, histogram or value' })
    .describe(
      '`ratio`: bad of total. `rate`: events per exposure. `histogram`: counts per bucket. `value`: one number that is no count, such as revenue per minute.',
    ),
  prometheus: PrometheusSection.describe(
    'Asks a Prometheus server, or one that speaks its HTTP API.',
  ).optional(),
  json: JsonSection.describe('Asks an address that answers with JSON.').optional(),
  sql: SqlSection.describe('Asks a PostgreSQL server or a SQLite file. The query can only read.').optional(),
  command: CommandSection.describe('Runs a program.').optional(),
  builtin: BuiltinSection.describe('Takes what the data plane counts anyway.').optional(),
  tier: z
    .enum(['critical', 'warning', 'report'])
    .meta({ title: 'critical, warning or report', default: METRIC_DEFAULTS.tier })
    .describe('What a finding is: `critical`, `warning`, or `report`, which is only shown (a dry run).')
    .optional(),
  direction: z
    .enum(METRIC_DIRECTIONS)
    .meta({ title: 'more-is-worse, less-is-worse or either' })
    .describe(
      'Which way is bad. Orders of all visits are a ratio of which less is worse. Default: `more-is-worse`, for kind value `less-is-worse`. Not for kind histogram.',
    )
    .optional(),
  tolerance: z
    .strictObject({
      ratio: z
        .number()
        .min(1)
        .max(1000)
        .meta({ title: 'number', default: METRIC_DEFAULTS.tolerance.ratio })
        .describe('The candidate may have this many times the rate of stable.')
        .optional(),
      points: percent()
        .meta({ default: METRIC_DEFAULTS.tolerance.points })
        .describe('And this many percentage points on top.')
        .optional(),
    })
    .describe('What is tolerated. Not for kind value.')
    .optional(),
  notice: percent()
    .meta({ default: METRIC_DEFAULTS.notice })
    .describe(
      'The smallest harm that matters, in percentage points: less counts as not worse. Not for kind value.',
    )
    .optional(),
  bounds: z
    .array(z.number())
    .min(1)
    .max(MAX_BOUNDS)
    .meta({ title: 'list of numbers' })
    .describe(
      'Kind histogram: the upper bounds of the buckets, rising, in the unit of the source. With builtin by default those of the data plane.',
    )
    .optional(),
  deviation: z
    .strictObject({
      warning: percent({ max: 1000 })
        .meta({ default: METRIC_DEFAULTS.deviation.warning })
        .describe('This much beside stable is a warning.')
        .optional(),
      critical: percentOrOff()
        .meta({ default: METRIC_DEFAULTS.deviation.critical })
        .describe('This much beside stable is critical. Needs `tier: critical`.')
        .optional(),
    })
    .describe('Kind value: how far the candidate may be beside stable, in percent of it.')
    .optional(),
  failureLimit: z
    .strictObject({
      limit: z
        .int()
        .min(1)
        .max(100)
        .meta({ title: 'whole number', default: METRIC_DEFAULTS.failureLimit.limit })
        .describe('So many windows beyond a limit of `deviation`.')
        .optional(),
      of: z
        .int()
        .min(1)
        .max(100)
        .meta({ title: 'whole number', default: METRIC_DEFAULTS.failureLimit.of })
        .describe('Of this many windows, the last ones.')
        .optional(),
    })
    .describe(
      'Kind value: one number says nothing about chance, so it takes several bad windows. `of` is at least `limit`.',
    )
    .optional(),
  every: duration({ minMs: 1000, maxMs: HOUR_MS })
    .meta({ default: METRIC_DEFAULTS.every })
    .describe('Length of the windows that are asked for. At least four scrapes of the source.')
    .optional(),
  delay: duration({ maxMs: HOUR_MS })
    .meta({ default: METRIC_DEFAULTS.delay })
    .describe('Windows end this long ago, because numbers arrive late at the source.')
    .optional(),
  timeout: duration({ minMs: 100, maxMs: 5 * MINUTE_MS })
    .meta({ default: METRIC_DEFAULTS.timeout })
    .describe('A slower answer is a failure of the provider.')
    .optional(),
  badValues: z
    .enum(['failure', 'no-data'])
    .meta({ title: 'failure or no-data', default: METRIC_DEFAULTS.badValues })
    .describe('What NaN, infinities, negative counts and more bad than total are.')
    .optional(),
  onNoData: z
    .strictObject({
      after: duration({ maxMs: 24 * HOUR_MS })
        .meta({ default: METRIC_DEFAULTS.onNoData.after })
        .describe('Without anything counted for so long.')
        .optional(),
      policy: policy(METRIC_DEFAULTS.onNoData.policy),
    })
    .describe('Nothing was counted. That is never taken for healthy, nor for zero.')
    .optional(),
  onTrouble: z
    .strictObject({
      failures: z
        .int()
        .min(1)
        .max(1000)
        .meta({ title: 'whole number', default: METRIC_DEFAULTS.onTrouble.failures })
        .describe('So many failures in a row, and the provider counts as broken.')
        .optional(),
      retry: duration({ minMs: 100, maxMs: HOUR_MS })
        .meta({ default: METRIC_DEFAULTS.onTrouble.retry })
        .describe('After a failure it is asked again this soon, or when it says so itself.')
        .optional(),
      policy: policy(METRIC_DEFAULTS.onTrouble.policy),
    })
    .describe('The provider fails. That says nothing about the candidate.')
    .optional(),
})
export type MetricKeys = z.output<typeof MetricKeys>
