import * as z from 'zod'
import { DurationMs, SharePercent } from '../shared/quantities.ts'
import { WeightPermille } from '../shared/weight.ts'
import { AbTest } from './ab-settings.ts'
import { ShadowTest } from './shadow-settings.ts'
import { SideSettings, StickySettings } from './side-settings.ts'

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
  /** The candidate has as many instances as its share of traffic asks for. Absent: all of them from the start. */
  instances: z.literal('share').exactOptional(),
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
