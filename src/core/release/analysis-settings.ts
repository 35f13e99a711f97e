import * as z from 'zod'
import { MetricDefinition } from '../shared/metric-definition.ts'
import { DurationMs, SharePercent } from '../shared/quantities.ts'

/** Absolute limits of one tier, judged with confidence. */
export const GuardLimits = z.object({
  errorRatePercent: SharePercent.exactOptional(),
  /** Percentage points above the concurrent stable. */
  errorPointsOverStable: SharePercent.exactOptional(),
  /** Must be one of the latency bucket bounds. */
  p99Ms: z.int().positive().exactOptional(),
  /** Candidate's p95 against this multiple of stable's. */
  p95TimesStable: z.number().min(1).exactOptional(),
  /** The candidate answers fewer than this many percent of the requests that are due by its weight. */
  throughputPercent: SharePercent.exactOptional(),
  /** Of what `run.resources` declares for an instance, else of what the host has. */
  cpuPercent: SharePercent.exactOptional(),
  memoryPercent: SharePercent.exactOptional(),
  /** Time in which the busiest disk of the host has something to do, while the candidate reads or writes more than stable. */
  diskPercent: SharePercent.exactOptional(),
})
export type GuardLimits = z.infer<typeof GuardLimits>

/** Limits that only trouble of at least this length can break. */
export const LastingLimits = z.object({
  throughputPercent: SharePercent.exactOptional(),
  p95TimesStable: z.number().min(1).exactOptional(),
  overMs: z.int().positive(),
})
export type LastingLimits = z.infer<typeof LastingLimits>

export const CriticalLimits = GuardLimits.extend({ forLong: LastingLimits.exactOptional() })
export type CriticalLimits = z.infer<typeof CriticalLimits>

/** So many of the last `of` evaluations. */
export const ResourceFailureLimit = z.object({
  limit: z.int().min(1).max(100),
  of: z.int().min(1).max(100),
})
export type ResourceFailureLimit = z.infer<typeof ResourceFailureLimit>

/** What is reported as met or missed and changes nothing. Absent: not asked. */
export const HealthTargets = z.object({
  /** Below this. */
  errorRatePercent: SharePercent.exactOptional(),
  /** Above this. */
  successRatePercent: SharePercent.exactOptional(),
  p50Ms: z.number().positive().exactOptional(),
  p95Ms: z.number().positive().exactOptional(),
  p99Ms: z.number().positive().exactOptional(),
  /** Of what `run.resources` declares for an instance, else of what the host has; mean of the rollout. */
  cpuPercent: SharePercent.exactOptional(),
  memoryPercent: SharePercent.exactOptional(),
})
export type HealthTargets = z.infer<typeof HealthTargets>

/** What releases were made with before the file could say anything else. */
const TARGETS_DEFAULT: HealthTargets = {
  errorRatePercent: 0.1,
  successRatePercent: 99.95,
  p50Ms: 100,
  p95Ms: 300,
  p99Ms: 500,
  cpuPercent: 70,
  memoryPercent: 80,
}

/** What users are promised: over the window so many percent of the requests are good ones. */
export const ServiceLevel = z.object({
  targetPercent: z.number().gt(0).lt(100),
  windowMs: z.int().positive(),
  /** Requests slower than this are the bad ones; `null`: those that fail. Must be one of the latency bucket bounds. */
  slowerThanMs: z.int().positive().nullable(),
})
export type ServiceLevel = z.infer<typeof ServiceLevel>

/** What an alert from outside does to the rollout it is about, by its severity. */
export const AlertSettings = z.object({
  critical: z.enum(['rollback', 'pause', 'report']),
  warning: z.enum(['rollback', 'pause', 'report']),
  /** Labels that an alert must have to count at all. */
  match: z.record(z.string(), z.string()),
})
export type AlertSettings = z.infer<typeof AlertSettings>

export const AnalysisSettings = z.object({
  /** Chance that a healthy rollout is rolled back by the statistics, shared by all harm checks of the rollout. */
  alpha: z.number().min(0.000_001).max(0.5),
  /** How often counters are read and judged. */
  intervalMs: z.int().min(100).max(600_000),
  /** Fewer candidate requests in a step than this: no verdict on its criteria yet. */
  minRequests: z.int().min(1),
  /** Comparison with the concurrent stable; what is tolerated on top of it. */
  compare: z.object({
    errors: z.object({ ratio: z.number().min(1), points: SharePercent }).nullable(),
    latency: z.object({ ratio: z.number().min(1), points: SharePercent }).nullable(),
    /** Crashes beside those of stable. Absent: not compared. */
    crashes: z.object({ ratio: z.number().min(1) }).exactOptional(),
  }),
  /** "Not worse" means that a rise by this many percentage points is ruled out. */
  noticePoints: SharePercent.default(1),
  /** How much more counts vary than those of independent requests; `null` takes it from stable's own minutes. */
  dispersion: z.number().min(1).max(1000).nullable().default(null),
  /** For so long after a change of weight latency is not compared: caches are cold. At most half of the stage. */
  warmUpMs: DurationMs.default(30_000),
  critical: CriticalLimits,
  warning: GuardLimits,
  targets: HealthTargets.default(TARGETS_DEFAULT),
  /** A limit of CPU, memory or disk is broken when it was exceeded in so many of the last evaluations. */
  resourceFailureLimit: ResourceFailureLimit.default({ limit: 3, of: 5 }),
  /** With shadow: at most this share of its answers may differ from what users got. Absent: not asked. */
  differingPercent: SharePercent.exactOptional(),
  /** Names of checks that are judged and shown, and have no consequence. */
  dryRun: z.array(z.string()).exactOptional(),
  /** A candidate that burns the error budget of this objective much too fast is held back; `null`: none is stated. */
  slo: ServiceLevel.nullable().default(null),
  alerts: AlertSettings.default({ critical: 'pause', warning: 'report', match: {} }),
  /** Probe failures in a row from which an instance counts as failing. */
  failingChecks: z.int().min(1),
  /** Share of failing candidate instances that is critical; at least two of them, or the only one. */
  failingInstancesPercent: SharePercent,
  /** Crashes of candidate instances within one rollout that are critical. */
  crashLimit: z.int().min(1),
  /** Errors in the candidate's output that stable does not write: only told, or a reason to pause or to go back. */
  newErrors: z.enum(['report', 'warning', 'critical']).default('report'),
  /** Fewer of one kind than this are told and nothing more. */
  newErrorsAtLeast: z.int().min(1).max(1000).default(3),
  /** What is measured besides requests, latency, instances and crashes. */
  metrics: z.array(MetricDefinition).default([]),
})
export type AnalysisSettings = z.infer<typeof AnalysisSettings>
