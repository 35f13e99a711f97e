import * as z from 'zod'
import { DEFAULTS } from './defaults.ts'
import { durationOrOff, percentOrOff } from './scalars.ts'

type UseDefaults = { cpu: string; memory: string; disk: string }

/** Limits of what the instances of the candidate may use, beside the other limits of a tier. */
export const useKeys = (of: UseDefaults) => ({
  cpu: percentOrOff()
    .meta({ default: of.cpu })
    .describe(
      'CPU time of the candidate above this part of `run.resources.cpus`, or of all CPUs of the host where that is not declared.',
    )
    .optional(),
  memory: percentOrOff()
    .meta({ default: of.memory })
    .describe(
      'Memory of its largest instance above this part of `run.resources.memory`; where that is not declared, memory of all its instances above this part of the memory of the host.',
    )
    .optional(),
  disk: percentOrOff()
    .meta({ default: of.disk })
    .describe(
      "The busiest disk of the host is busy for more than this part of the time, while an instance of the candidate reads and writes more than one and a half times as much as one of stable's.",
    )
    .optional(),
})

const limit = DEFAULTS.analysis.resourceFailureLimit

export const ResourceFailureLimitSection = z.strictObject({
  limit: z
    .int()
    .min(1)
    .max(100)
    .meta({ title: 'whole number', default: limit.limit })
    .describe('So many evaluations above the limit are too many.')
    .optional(),
  of: z
    .int()
    .min(1)
    .max(100)
    .meta({ title: 'whole number', default: limit.of })
    .describe('Of so many last ones.')
    .optional(),
})

const targets = DEFAULTS.analysis.targets

const share = (of: string, what: string) => percentOrOff().meta({ default: of }).describe(what).optional()
const latency = (of: string, what: string) =>
  durationOrOff({ minMs: 1 }).meta({ default: of }).describe(what).optional()

export const TargetsSection = z.strictObject({
  errorRate: share(targets.errorRate, 'Error rate below this.'),
  successRate: share(targets.successRate, 'Success rate above this.'),
  p50: latency(targets.p50, 'Median of latency below this.'),
  p95: latency(targets.p95, '95th percentile of latency below this.'),
  p99: latency(targets.p99, '99th percentile of latency below this.'),
  cpu: share(targets.cpu, 'CPU below this on average, measured as for the limits.'),
  memory: share(targets.memory, 'Memory below this on average, measured as for the limits.'),
})
