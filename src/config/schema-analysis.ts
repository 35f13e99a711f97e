import * as z from 'zod'
import { DRY_RUN_NAMES } from '../core/analysis/dry-run.ts'
import { type Reading, read, refused, scalar, shown } from './complaint.ts'
import { DEFAULTS } from './defaults.ts'
import { nearestOf } from './nearest.ts'
import { duration, factorOrOff, latencyLimitOrOff, percent, percentOrOff } from './scalars.ts'
import { AlertsSection } from './schema-alerts.ts'
import { MetricsSection } from './schema-metrics.ts'
import { ResourceFailureLimitSection, TargetsSection, useKeys } from './schema-resources.ts'
import { SloSection } from './schema-slo.ts'

const defaults = DEFAULTS.analysis

const comparison = (of: { ratio: number; points: string }, what: string) =>
  z.union([
    z.literal('off'),
    z.strictObject({
      ratio: z
        .number()
        .min(1)
        .meta({ title: 'number', default: of.ratio })
        .describe(`The candidate may have this many times the ${what} of stable.`)
        .optional(),
      points: percent()
        .meta({ default: of.points })
        .describe('And this many percentage points on top.')
        .optional(),
    }),
  ])

type TierDefaults = {
  errorRate: string
  errorPointsOverStable: string
  p99: string
  p95TimesStable: number | 'off'
  throughput: string
  cpu: string
  memory: string
  disk: string
}

const throughput = (of: string) =>
  percentOrOff()
    .meta({ default: of })
    .describe(
      'The candidate answers less than this part of the requests that are due by its weight, beside what stable answers. One that hangs answers fewer, and has no error to show for it.',
    )
    .optional()

const tierKeys = (of: TierDefaults) => ({
  errorRate: percentOrOff()
    .meta({ default: of.errorRate })
    .describe('Error rate of the candidate above this.')
    .optional(),
  errorPointsOverStable: percentOrOff()
    .meta({ default: of.errorPointsOverStable })
    .describe('Error rate of the candidate this many percentage points above stable at the same time.')
    .optional(),
  p99: latencyLimitOrOff()
    .meta({ default: of.p99 })
    .describe('1 of 100 requests slower than this. Must be a bound of the latency histogram.')
    .optional(),
  p95TimesStable: factorOrOff()
    .meta({ default: of.p95TimesStable })
    .describe("95th percentile of the candidate's latency above this multiple of stable's.")
    .optional(),
  throughput: throughput(of.throughput),
  ...useKeys(of),
})

const { forLong } = defaults.critical

/** What is bad, but not bad enough for a rollback, until it lasts. */
const ForLong = z.union([
  z.literal('off'),
  z.strictObject({
    throughput: throughput(forLong.throughput),
    p95TimesStable: factorOrOff()
      .meta({ default: forLong.p95TimesStable })
      .describe("95th percentile of the candidate's latency above this multiple of stable's.")
      .optional(),
    over: duration({ minMs: 10_000, maxMs: 24 * 3_600_000 })
      .meta({ default: forLong.over })
      .describe('It takes trouble of at least this length.')
      .optional(),
  }),
])

const checkName = () => scalar(readCheckName, { title: 'name of a check' })

function readCheckName(input: unknown): Reading<string> {
  if (DRY_RUN_NAMES.some((name) => name === input)) return read(String(input))
  const nearest = typeof input === 'string' ? nearestOf(input, DRY_RUN_NAMES) : null
  return refused(
    'CONFIG_WRONG_VALUE',
    `is ${shown(input)}, and no check has this name`,
    `${nearest === null ? '' : `Did you mean "${nearest}"? `}Write a name as "sluice status" shows it, or dryRun: all.`,
  )
}

export const AnalysisKeys = z.strictObject({
  alpha: percent({ min: 0.0001, max: 50 })
    .meta({ default: defaults.alpha })
    .describe(
      'Chance that a healthy rollout is rolled back by the statistics, shared by all checks of the rollout.',
    )
    .optional(),
  interval: duration({ minMs: 100, maxMs: 600_000 })
    .meta({ default: defaults.interval })
    .describe('How often counters are read and judged.')
    .optional(),
  minRequests: z
    .int()
    .min(1)
    .meta({ title: 'whole number', default: defaults.minRequests })
    .describe('With fewer candidate requests in a step there is no verdict on its criteria yet.')
    .optional(),
  compare: z
    .strictObject({
      errors: comparison(defaults.compare.errors, 'error rate')
        .describe('Errors against stable, or `off`.')
        .optional(),
      latency: comparison(defaults.compare.latency, 'share of slow requests')
        .describe('Latency against stable, or `off`.')
        .optional(),
      crashes: z
        .union([
          z.literal('off'),
          z.strictObject({
            ratio: z
              .number()
              .min(1)
              .max(1000)
              .meta({ title: 'number', default: defaults.compare.crashes.ratio })
              .describe('The candidate may crash this many times as often as stable.')
              .optional(),
          }),
        ])
        .describe('Crashes of instances against those of stable, or `off`. `crashLimit` counts beside it.')
        .optional(),
    })
    .describe('Comparison of the candidate with stable at the same time, and what is tolerated.')
    .optional(),
  notice: percent()
    .meta({ default: defaults.notice })
    .describe(
      'A comparison is `not-worse` once a rise by this many percentage points is ruled out. At least half a point above what is tolerated.',
    )
    .optional(),
  dispersion: z
    .union([z.literal('auto'), z.number().min(1).max(1000).meta({ title: 'number' })])
    .meta({ default: defaults.dispersion })
    .describe(
      "How much more the counts of a minute vary than those of independent requests; evidence is divided by it. `auto` takes it from stable's own minutes.",
    )
    .optional(),
  warmUp: duration({ minMs: 0, maxMs: 3_600_000 })
    .meta({ default: defaults.warmUp })
    .describe(
      'For so long after a change of weight latency is not compared with stable, since caches are cold. At most half of the stage.',
    )
    .optional(),
  critical: z
    .strictObject({
      ...tierKeys(defaults.critical),
      forLong: ForLong.describe('Limits that roll back when they are broken for long, or `off`.').optional(),
    })
    .describe('Limits that roll back. Each can be `off`.')
    .optional(),
  warning: z
    .strictObject(tierKeys(defaults.warning))
    .describe('Limits that pause the rollout. Each can be `off`.')
    .optional(),
  resourceFailureLimit: ResourceFailureLimitSection.describe(
    'Limits of CPU, memory and disk have no statistics: it takes several evaluations above one. `of` is at least `limit`.',
  ).optional(),
  targets: TargetsSection.describe(
    'Health targets: reported as met or missed, and never a reason to do anything. Each can be `off`.',
  ).optional(),
  dryRun: z
    .union([z.literal('all'), z.array(checkName()).max(DRY_RUN_NAMES.length)])
    .meta({ title: 'list of checks or all', default: defaults.dryRun })
    .describe(
      'Checks that are judged and shown without any consequence, by the names under which they are shown. `all` leaves out `crash loop`, `out of memory` and `failing instances`, which have to be named. Declared metrics have `tier: report` for it.',
    )
    .optional(),
  slo: SloSection.meta({ title: 'path, objective or off', default: defaults.slo })
    .describe(
      'What users are promised: the path of an OpenSLO v1 file, relative to this file, or the objective itself. A candidate that burns its error budget much too fast, and faster than stable, is rolled back (2% of it within an hour) or paused (5% within six hours).',
    )
    .optional(),
  alerts: AlertsSection.describe(
    'Alerts that Alertmanager sends to `/alerts` about this service while a rollout runs. Those that fired before it began are only told.',
  ).optional(),
  failingChecks: z
    .int()
    .min(1)
    .meta({ title: 'whole number', default: defaults.failingChecks })
    .describe('Failed health checks in a row from which an instance counts as failing.')
    .optional(),
  failingInstances: percent()
    .meta({ default: defaults.failingInstances })
    .describe('Share of failing candidate instances that rolls back: at least two of them, or the only one.')
    .optional(),
  crashLimit: z
    .int()
    .min(1)
    .meta({ title: 'whole number', default: defaults.crashLimit })
    .describe('Crashes of candidate instances in one rollout that roll back.')
    .optional(),
  newErrors: z
    .enum(['report', 'warning', 'critical'])
    .meta({ default: defaults.newErrors })
    .describe(
      "Errors in the candidate's output that stable does not write: only told, a reason to pause, or a reason to roll back.",
    )
    .optional(),
  newErrorsAtLeast: z
    .int()
    .min(1)
    .max(1000)
    .meta({ title: 'whole number', default: defaults.newErrorsAtLeast })
    .describe('A new error that was written fewer times than this is only told, whatever `newErrors` says.')
    .optional(),
  metrics: MetricsSection.meta({ title: 'list', default: defaults.metrics })
    .describe('Metrics of your own, by which rollouts are judged as well. `sluice metrics test` tries them.')
    .optional(),
})
export type AnalysisKeys = z.output<typeof AnalysisKeys>

export const AnalysisSection = z.union([z.literal('default'), AnalysisKeys])
