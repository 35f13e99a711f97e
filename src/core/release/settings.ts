import * as z from 'zod'
import { Entry } from '../shared/entry.ts'
import { ListenAddress } from '../shared/listen-address.ts'
import { MetricDefinition } from '../shared/metric-definition.ts'
import { RequestPolicy } from '../shared/request-policy.ts'
import { RouterName } from '../shared/router-ability.ts'
import { ControllerLossPolicy, DrainLimits } from '../shared/routes.ts'
import { HealthProbe, Quiesce } from '../shared/set-spec.ts'
import { VerifyCheck } from '../shared/verification.ts'
import { WeightPermille } from '../shared/weight.ts'
import { AbTest } from './ab-settings.ts'
import { RiskSettings } from './risk-settings.ts'
import { ShadowTest } from './shadow-settings.ts'
import { SideSettings, StickySettings } from './side-settings.ts'
import { ReleaseWindow } from './window.ts'

const DurationMs = z.int().nonnegative()
const SharePercent = z.number().min(0).max(100)

/** What the candidate must show at a step before it may go on. Absent: not asked. */
export const StageCriteria = z.object({
  /** Error rate below this many percent. */
  errorRatePercent: SharePercent.exactOptional(),
  /** Success rate above this many percent. */
  successRatePercent: SharePercent.exactOptional(),
  /** 99th percentile of latency below this. */
  p99Ms: z.int().positive().exactOptional(),
  p95Ms: z.int().positive().exactOptional(),
  p50Ms: z.int().positive().exactOptional(),
  /** Error rate at most this many percentage points above that of stable in the stage. */
  errorPointsOverStable: SharePercent.exactOptional(),
  /** At least this many percent of the requests that are due by its weight. */
  throughputPercent: SharePercent.exactOptional(),
  /** All of them must be met at so many looks one after the other; 1 where nothing is said. */
  consecutivePasses: z.int().min(1).exactOptional(),
  /** Not met at so many looks in a row after the time of the step: it pauses. 0 or nothing: it waits. */
  failureLimit: z.int().min(0).exactOptional(),
})
export type StageCriteria = z.infer<typeof StageCriteria>

export const CanaryStep = z.object({
  weightPermille: WeightPermille.min(1),
  /** Step time: at least this long. `null` waits for a person (`sluice promote`). */
  pauseMs: DurationMs.nullable(),
  /** A step that is not decided after so long pauses, for a person to look. */
  atMostMs: DurationMs.exactOptional(),
  criteria: StageCriteria,
})
export type CanaryStep = z.infer<typeof CanaryStep>

/** After the watch the promoted release is still looked at now and then; what follows when it is shown to be worse. */
export const LightWatchSettings = z.object({
  forMs: z.int().min(1),
  /** `alarm` changes nothing and tells people; `rollback` goes back to the stable release before by itself. */
  onFinding: z.enum(['alarm', 'rollback']),
})
export type LightWatchSettings = z.infer<typeof LightWatchSettings>

/** What every strategy has, however its traffic gets to 100%. */
const Arrival = z.object({
  /** After 100%: stable's old set stays warm and critical triggers still roll back. */
  watchMs: DurationMs,
  /** From the promotion on; `null` switches it off. */
  lightWatch: LightWatchSettings.nullable().default(null),
  /** After an abort the candidate stays without traffic for inspection; `null` keeps it until somebody stops it. */
  holdMs: DurationMs.nullable(),
  /** Candidate instances needed for a weight, as a share of the configured replicas; all by default (100). */
  readyPercent: z.number().min(1).max(100),
})

/** How traffic rises. */
const Rise = z.object({
  /** Rising weights; the last one is 1000. */
  steps: z.array(CanaryStep).min(1),
  /** A stage may end this early, once what was counted in it rules out that the candidate is worse; `null`: never early. */
  earliestMs: DurationMs.nullable().default(null),
})

export const CanarySettings = z.object({
  kind: z.literal('canary'),
  ...Rise.shape,
  ...Arrival.shape,
  ...SideSettings.shape,
  /** Users keep their version while the weights rise. Absent: each request is dealt anew. */
  sticky: StickySettings.exactOptional(),
})
export type CanarySettings = z.infer<typeof CanarySettings>

/** A whole candidate beside stable, shown to be good before it gets traffic, then one switch; or, after it, the steps of a canary. */
export const BlueGreenSettings = z.object({
  kind: z.literal('blue-green'),
  ...Rise.shape,
  ...Arrival.shape,
  ...SideSettings.shape,
  /** Time between readiness and the switch, for people to look at the candidate: 0 switches at once, `null` waits for `sluice promote`. */
  switchAfterMs: DurationMs.nullable(),
  /** Instances until the switch; `null` is all of them from the start. */
  previewReplicas: z.int().min(1).max(1000).nullable(),
  /** The old set stays ready for so long after the promotion; 0 lets it go then. */
  warmMs: DurationMs,
})
export type BlueGreenSettings = z.infer<typeof BlueGreenSettings>

/** Instances are replaced batch by batch, without a second set beside the first. */
export const RollingSettings = z.object({
  kind: z.literal('rolling'),
  ...Arrival.shape,
  /** So many instances more than configured may run at a time. */
  surge: z.int().min(0),
  /** So many of the configured instances may be missing at a time. */
  unavailable: z.int().min(0),
  /** Never fewer than this serve by our own doing, whatever `unavailable` allows; `null`: that alone. */
  minHealthy: z.int().min(0).nullable(),
  /** Each batch but the last is watched at least this long; `null` waits for a person, 0 looks at readiness alone. */
  pauseMs: DurationMs.nullable(),
  /** A batch that is not decided after so long pauses. */
  atMostMs: DurationMs.exactOptional(),
  criteria: StageCriteria,
})
export type RollingSettings = z.infer<typeof RollingSettings>

/** Variants of the candidate beside stable for a fixed time, compared by how many users reach a goal. */
export const AbSettings = z.object({
  kind: z.literal('ab'),
  ...Arrival.shape,
  ...AbTest.shape,
})
export type AbSettings = z.infer<typeof AbSettings>

/** A whole candidate beside stable gets copies of real requests, and users get none of its answers; then the switch, or the steps of a canary. */
export const ShadowSettings = z.object({
  kind: z.literal('shadow'),
  ...Rise.shape,
  ...Arrival.shape,
  ...ShadowTest.shape,
  criteria: StageCriteria,
})
export type ShadowSettings = z.infer<typeof ShadowSettings>

/** Everything old stops before the new starts: never two versions at the same time, and nobody served in between. */
export const RecreateSettings = z.object({
  kind: z.literal('recreate'),
  ...Arrival.shape,
  /** What clients are told meanwhile: come back after so long. */
  retryAfterS: z.int().min(1).max(3600),
})
export type RecreateSettings = z.infer<typeof RecreateSettings>

export const StrategySettings = z.discriminatedUnion('kind', [
  AbSettings,
  CanarySettings,
  BlueGreenSettings,
  RollingSettings,
  RecreateSettings,
  ShadowSettings,
])
export type StrategySettings = z.infer<typeof StrategySettings>

/** The steps in which a share of traffic rises; none where instances are replaced in batches. */
export const stagesOf = (strategy: StrategySettings): readonly CanaryStep[] =>
  'steps' in strategy ? strategy.steps : []

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

/** What follows when a candidate fails, and how far back the fast way goes. */
export const RollbackSettings = z.object({
  /** Going back this many stable releases or fewer needs no stages: they held 100% lately. Further back takes all steps. */
  window: z.int().min(0).max(10),
  /** `hold`: a candidate that failed keeps its share until a person decides. */
  onFailure: z.enum(['rollback', 'hold']),
  /** This many automatic rollbacks within this time stop further deploys until a person says why; `null` switches it off. */
  breaker: z.object({ count: z.int().min(1).max(20), withinMs: DurationMs }).nullable(),
})
export type RollbackSettings = z.infer<typeof RollbackSettings>

const DAY_MS = 86_400_000
/** What releases were made with before the file could say anything else. */
const ROLLBACK_DEFAULT: RollbackSettings = {
  window: 3,
  onFailure: 'rollback',
  breaker: { count: 3, withinMs: DAY_MS },
}

export const NotifyChannel = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('webhook'),
    name: z.string(),
    url: z.url(),
    /** Name of the secret that signs, never its value. */
    secret: z.string(),
    on: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('command'),
    name: z.string(),
    command: z.array(z.string()).min(1),
    on: z.array(z.string()),
  }),
])
export type NotifyChannel = z.infer<typeof NotifyChannel>

/** Name of a service or an environment: what can stand in a path, a host name and a file name. */
export const Name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes, starting with a letter')
export type Name = z.infer<typeof Name>

/** What one instance is meant to use at most: 100% of it. Nobody enforces it; what is not said is that of the host. */
export const InstanceResources = z.object({
  cpus: z.number().positive().max(1024).exactOptional(),
  memoryBytes: z.int().positive().exactOptional(),
})
export type InstanceResources = z.infer<typeof InstanceResources>

/** One service in one environment with every default filled in: the resolved configuration a release carries. */
export const ServiceSettings = z.object({
  service: Name,
  environment: Name,
  production: z.boolean(),
  run: z.object({
    /** Absolute path of a folder, tarball or file; may hold `{{version}}`. */
    artifact: z.string(),
    command: z.array(z.string()).min(1),
    replicas: z.int().min(1).max(1000),
    env: z.record(z.string(), z.string()),
    secrets: z.array(z.string()),
    stopGraceMs: DurationMs,
    /** Workers only: told to take no new work, and given so long to end by themselves, before they are stopped. */
    quiesce: Quiesce.exactOptional(),
    resources: InstanceResources.default({}),
  }),
  /** `null`: a worker, which takes its work from elsewhere. There is no data plane then, and a share is a share of instances. */
  listen: ListenAddress.nullable(),
  /** Which requests there are those of the service, and its certificate. */
  ...Entry.shape,
  health: HealthProbe,
  /** How long an instance that joins others of its release grows to its full share. Not in `health`: it changes how traffic comes, not what runs. */
  slowStartMs: DurationMs.default(0),
  /** Who sends requests to instances. */
  router: RouterName.default('builtin'),
  /** It was not named in the file but found on the machine. */
  routerFound: z.literal(true).exactOptional(),
  drain: DrainLimits,
  ...RequestPolicy.shape,
  strategy: StrategySettings,
  analysis: AnalysisSettings,
  /** What a release must pass before it gets traffic, and once it has all of it. */
  verify: z.array(VerifyCheck).default([]),
  rollback: RollbackSettings.default(ROLLBACK_DEFAULT),
  onControllerLoss: ControllerLossPolicy,
  /** Foreign weights on the router: set right at once, or left alone until a person says so. */
  drift: z.enum(['correct', 'hold']).default('correct'),
  /** What people declare about the service, for the risk of a plan and the strategy that fits. Absent: nothing. */
  risk: RiskSettings.exactOptional(),
  /** Hours in which a rollout may begin; none means always. */
  windows: z.array(ReleaseWindow).default([]),
  /** A freeze that begins during the steps: stay at the present weight, or take all traffic back to stable. */
  onFreeze: z.enum(['hold', 'return']).default('hold'),
  /** Synthetic requests during a rollout, to paths that are safe to repeat; `null` switches the prober off. */
  prober: z
    .object({ paths: z.array(z.string().startsWith('/')).min(1), intervalMs: z.int().min(20) })
    .nullable(),
  notify: z.array(NotifyChannel),
})
export type ServiceSettings = z.infer<typeof ServiceSettings>

/** `shop` in `local` -> `shop.local`: names the stream, the proxy's service and the agent's sets. */
export const streamOf = (settings: Pick<ServiceSettings, 'service' | 'environment'>): string =>
  `${settings.service}.${settings.environment}`

/** `shop.local` -> `local`. */
export const environmentOf = (stream: string): string => stream.split('.')[1] ?? 'local'
