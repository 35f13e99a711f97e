import * as z from 'zod'
import { DEFAULTS } from './defaults.ts'
import { duration, factorOrOff, latencyLimitOrOff, percent, percentOrOff } from './scalars.ts'

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
}

const tier = (of: TierDefaults) =>
  z.strictObject({
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
  })

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
    })
    .describe('Comparison of the candidate with stable at the same time, and what is tolerated.')
    .optional(),
  critical: tier(defaults.critical).describe('Limits that roll back. Each can be `off`.').optional(),
  warning: tier(defaults.warning).describe('Limits that pause the rollout. Each can be `off`.').optional(),
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
})
export type AnalysisKeys = z.output<typeof AnalysisKeys>

export const AnalysisSection = z.union([z.literal('default'), AnalysisKeys])
