import * as z from 'zod'
import { Recommendation } from '../../plan/recommendation/recommendation.ts'
import { RiskAssessment } from '../../plan/risk/risk.ts'
import { ReleaseAbout } from '../../release/release-about.ts'
import { Freeze } from '../../shared/freeze.ts'
import { Instance } from '../../shared/instance.ts'
import { Problem } from '../../shared/problem.ts'
import { ShownCertificate } from '../../shared/router-state.ts'
import { WeightPermille } from '../../shared/weight.ts'
import { AbView } from '../ab/ab-result-view.ts'
import { ChecklistItem } from '../checklist.ts'
import { Outcome } from '../outcome.ts'
import { Reason, WaitingOn } from '../reason.ts'
import { ShadowView } from '../shadow/shadow-result-view.ts'
import { Snapshot } from '../snapshot.ts'

/**
 * The one view model behind the page, the terminal and `--json`. Times are ms since the epoch; `null` means
 * "not known" or "not yet" and is never replaced by a zero.
 */
export const VIEW_SCHEMA_VERSION = 1

export const ReleaseRef = z.object({ release: z.string(), version: z.string() })
export type ReleaseRef = z.infer<typeof ReleaseRef>

/** A release that has not begun yet: why, and until when. */
export const QueuedView = ReleaseRef.extend({
  rollout: z.string(),
  actor: z.string(),
  notBefore: z.number().nullable(),
  waitingOn: WaitingOn,
})
export type QueuedView = z.infer<typeof QueuedView>

/** Foreign weights on the router that are left alone until a person says so, beside the decided ones. */
export const DriftView = z.object({
  since: z.number(),
  /** How often they came back of late. */
  times: z.int(),
  weights: z.array(ReleaseRef.extend({ desiredPermille: WeightPermille, observedPermille: WeightPermille })),
})
export type DriftView = z.infer<typeof DriftView>

/** The watch after the promotion, for people. `alarms` are sentences; `sentence` says how it stands. */
export const LightWatchView = z.object({
  release: z.string(),
  version: z.string(),
  rollout: z.string(),
  startedAt: z.number(),
  /** If numbers come from now on. */
  until: z.number(),
  onFinding: z.enum(['alarm', 'rollback']),
  requests: z.int(),
  errors: z.int(),
  /** Without numbers since; `null` while they come. */
  blindSince: z.number().nullable(),
  alarms: z.array(z.string()),
  sentence: z.string(),
})
export type LightWatchView = z.infer<typeof LightWatchView>

/** Where requests go besides the weights, as decided, and what is taken at most. */
export const SideView = z.object({
  kind: z.enum(['preview', 'rule', 'sticky', 'limits', 'entry', 'certificate', 'router']),
  sentence: z.string(),
  /** Of a preview: where it is, and the version that it shows; `null` while nobody can answer. */
  shows: z.object({ address: z.string(), version: z.string().nullable() }).exactOptional(),
})
export type SideView = z.infer<typeof SideView>

export const SetView = z.object({
  release: z.string(),
  version: z.string(),
  /** `warm`: the old stable, ready for an instant way back. `held`: an aborted candidate kept for inspection. */
  role: z.enum(['stable', 'candidate', 'warm', 'held', 'retiring']),
  /** When a warm or held set leaves by itself; `null` where no time is set. */
  leavesAt: z.number().nullable(),
  wanted: z.int(),
  ready: z.int(),
  desiredWeightPermille: WeightPermille,
  /** Read back from the router; `null` while unconfirmed. */
  observedWeightPermille: WeightPermille.nullable(),
  inFlight: z.int().nullable(),
  instances: z.array(Instance),
  /** Those that finish what they have and stop, by id; absent where all stay or all go. */
  leaving: z.array(z.string()).exactOptional(),
})
export type SetView = z.infer<typeof SetView>

export const StepView = z.object({
  index: z.int(),
  /** `provision`, `traffic 5%`, `observe 10m`, `promote`... */
  label: z.string(),
  kind: z.string(),
  state: z.enum(['done', 'active', 'planned', 'skipped']),
  weightPermille: WeightPermille.nullable(),
  plannedMs: z.number().nullable(),
  startedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
})
export type StepView = z.infer<typeof StepView>

export const CheckView = z.object({
  /** `error rate`, `errors against stable`, `p99 latency`... */
  name: z.string(),
  tier: z.enum(['critical', 'warning', 'report', 'stage', 'compare']),
  verdict: z.enum([
    'worse',
    'not-worse',
    'watching',
    'no-data',
    'provider-broken',
    'ok',
    'warning',
    'critical',
  ]),
  stable: z.string(),
  candidate: z.string(),
  threshold: z.string(),
  /** Candidate requests the verdict rests on; of a limit of resources, evaluations. */
  samples: z.int(),
  /** One sentence with counts, rates and threshold. */
  sentence: z.string(),
  /** Exactly as it was decided on, so that it can be recomputed: highest log evidence, threshold, first crossing. */
  evidence: z
    .object({ logE: z.number(), threshold: z.number(), crossedAt: z.number().nullable() })
    .exactOptional(),
})
export type CheckView = z.infer<typeof CheckView>

/** A kind of error that the candidate writes and stable does not. */
export const NewErrorView = z.object({
  /** The line with everything that differs from one time to the next as a placeholder. */
  template: z.string(),
  example: z.string(),
  count: z.int(),
  firstAt: z.number(),
  lastAt: z.number(),
  /** Often enough, and with enough work on stable's side, that it comes with the candidate. */
  isShown: z.boolean(),
  sentence: z.string(),
})
export type NewErrorView = z.infer<typeof NewErrorView>

export const HealthTargetView = z.object({
  name: z.string(),
  value: z.string(),
  limit: z.string(),
  /** `null`: no data. Reported, never a trigger. */
  met: z.boolean().nullable(),
})
export type HealthTargetView = z.infer<typeof HealthTargetView>

export const ActionView = z.object({
  name: z.enum(['promote', 'promote-full', 'jump', 'pause', 'resume', 'abort', 'rollback', 'deploy']),
  allowed: z.boolean(),
  whyNot: z.string().nullable(),
})
export type ActionView = z.infer<typeof ActionView>

export const TimelineEntry = z.object({
  sequence: z.int(),
  at: z.number(),
  kind: z.string(),
  /** One sentence. */
  text: z.string(),
  actor: z.string(),
  level: z.enum(['info', 'good', 'warning', 'bad']),
})
export type TimelineEntry = z.infer<typeof TimelineEntry>

/** Measured, not assumed. Lost: no complete correct answer, for a reason that is not the version's own fault. */
export const LossView = z.object({
  probes: z.int(),
  probesLost: z.int(),
  /** Requests of real users that reached the data plane during the rollout, and how many of them were lost. */
  requests: z.int(),
  requestsLost: z.int(),
  /** Of those lost: turned away while the service was closed, as the plan said; absent where none were. */
  closed: z.int().exactOptional(),
  cutOnDrain: z.int(),
})
export type LossView = z.infer<typeof LossView>

export const RolloutView = z.object({
  id: z.string(),
  /** Counted from 1 for each release, until it is stable. */
  attempt: z.int().min(1).default(1),
  stream: z.string(),
  service: z.string(),
  environment: z.string(),
  from: ReleaseRef.nullable(),
  to: ReleaseRef.extend({ digest: z.string() }),
  strategy: z.string(),
  plan: z.object({ id: z.string(), hash: z.string() }),
  /** As the plan had them; absent where none was made with them. */
  risk: RiskAssessment.exactOptional(),
  recommendation: Recommendation.exactOptional(),
  actor: z.string(),
  startedAt: z.number(),
  /** When the outcome was reached. Clean-up (hold, drain, retire) may go on after it. */
  endedAt: z.number().nullable(),
  state: z.enum(['running', 'waiting', 'paused', 'watching', 'returning', 'ended']),
  outcome: Outcome.nullable(),
  /** "1.1.0 to local: step 3 of 7, 25% for 4s, goes on at 14:32:10 if 4 checks stay green". Without times of day. */
  sentence: z.string(),
  reason: Reason,
  waitingOn: WaitingOn.nullable(),
  step: z.object({ index: z.int(), total: z.int() }),
  steps: z.array(StepView),
  weight: z.object({ desiredPermille: WeightPermille, observedPermille: WeightPermille.nullable() }),
  /** What weights are shares of: nobody sends requests to a worker. */
  sharedBy: z.enum(['traffic', 'instances']).default('traffic'),
  checks: z.array(CheckView),
  /** The result so far of an A/B test; absent in every other rollout. */
  ab: AbView.exactOptional(),
  /** What copies of requests showed so far; absent in every other rollout. */
  shadow: ShadowView.exactOptional(),
  /** Most frequent first. */
  newErrors: z.array(NewErrorView).default([]),
  targets: z.array(HealthTargetView),
  loss: LossView,
  exposure: z.object({ requests: z.int(), errors: z.int() }),
  /** From the verdict to the confirmation that no new request goes to the candidate. */
  trafficOffMs: z.number().nullable(),
  actions: z.array(ActionView),
  /** Set when something failed: cause and what to do. */
  problem: Problem.nullable(),
  /** What was live when it began. */
  before: Snapshot.nullable().default(null),
  /** What had to be so for the candidate to become stable; empty before that. */
  checklist: z.array(ChecklistItem).default([]),
})
export type RolloutView = z.infer<typeof RolloutView>

export const ServiceView = z.object({
  schemaVersion: z.literal(VIEW_SCHEMA_VERSION),
  asOf: z.number(),
  /** Revision of the state this view was made from; grows with every event. */
  revision: z.int(),
  stream: z.string(),
  service: z.string(),
  environment: z.string(),
  production: z.boolean(),
  listen: z.string(),
  stable: ReleaseRef.extend({ since: z.number() }).nullable(),
  sets: z.array(SetView),
  /** The active rollout, else the last one. */
  rollout: RolloutView.nullable(),
  queued: QueuedView.nullable(),
  /** The release that was promoted last is looked at for a while longer. */
  lightWatch: LightWatchView.nullable().default(null),
  freeze: Freeze.nullable(),
  drift: DriftView.nullable(),
  /** Absent where there is nothing but the weights. */
  besides: z.array(SideView).exactOptional(),
  /** Shown to clients by the data plane. Absent without TLS, or while nobody looked. */
  certificate: ShownCertificate.exactOptional(),
  /** Newest last, at most 50. */
  timeline: z.array(TimelineEntry),
  actions: z.array(ActionView),
  /** Trouble with the parts around the rollout (proxy, agent) as one-sentence warnings. */
  warnings: z.array(z.string()),
})
export type ServiceView = z.infer<typeof ServiceView>

/** A finished or running rollout in one line, for history. */
export const RolloutSummary = z.object({
  id: z.string(),
  stream: z.string(),
  from: ReleaseRef.nullable(),
  to: ReleaseRef,
  outcome: Outcome.nullable(),
  reason: z.string(),
  actor: z.string(),
  startedAt: z.number(),
  endedAt: z.number().nullable(),
  requestsLost: z.int(),
  /** Notes and commit of the release it was about, where somebody said them. */
  about: ReleaseAbout.exactOptional(),
})
export type RolloutSummary = z.infer<typeof RolloutSummary>

/** Chart data of one rollout, one point per analysis interval; `null` where there was no traffic. Same length each. */
export const RolloutSeries = z.object({
  rollout: z.string(),
  /** Milliseconds since the epoch. */
  at: z.array(z.number()),
  weightPermille: z.array(z.number()),
  stable: z.object({
    requestsPerSecond: z.array(z.number().nullable()),
    errorRatePercent: z.array(z.number().nullable()),
    p95Ms: z.array(z.number().nullable()),
  }),
  candidate: z.object({
    requestsPerSecond: z.array(z.number().nullable()),
    errorRatePercent: z.array(z.number().nullable()),
    p95Ms: z.array(z.number().nullable()),
  }),
})
export type RolloutSeries = z.infer<typeof RolloutSeries>
