import * as z from 'zod'
import { BaselineFacts } from '../analysis/baseline.ts'
import { SideCounts } from '../analysis/batch.ts'
import { CountsCursor } from '../analysis/counts-cursor.ts'
import { CheckState } from '../analysis/judge.ts'
import { NewError } from '../analysis/new-errors.ts'
import { noMinutes, StableMinutes } from '../analysis/stable-minutes.ts'
import { Plan } from '../plan/plan.ts'
import { ServiceSettings } from '../release/settings.ts'
import { Freeze } from '../shared/freeze.ts'
import { Instance } from '../shared/instance.ts'
import { Problem } from '../shared/problem.ts'
import { RouterName } from '../shared/router-ability.ts'
import { RouteSet } from '../shared/routes.ts'
import { Closed, NO_SIDE_ROUTES, SideRoutes } from '../shared/side-routes.ts'
import { VerifyReport } from '../shared/verification.ts'
import { WeightPermille } from '../shared/weight.ts'
import { AbState } from './ab/ab-state.ts'
import { Block } from './block.ts'
import { AutomaticRollback, Breaker } from './breaker.ts'
import { ChecklistItem } from './checklist.ts'
import { FormerRouter } from './former-router.ts'
import { HeardAlert } from './judging/heard-alert.ts'
import { NamedCheckState } from './judging/named-check-state.ts'
import { noResources, ResourceState } from './judging/resource-state.ts'
import { LightWatch } from './light-watch/light-watch.ts'
import { MetricState } from './metrics/metric-state.ts'
import { Outcome } from './outcome.ts'
import { Actor, Reason } from './reason.ts'
import { ShadowState } from './shadow/shadow-state.ts'
import { Snapshot } from './snapshot.ts'

/** Version of the shape below, stored with every row. A change of shape adds an upcaster (upcast.ts). */
export const STATE_SCHEMA_VERSION = 2

/** A process or a container that already served when it was taken under control. */
export const Adoption = z.object({
  port: z.int(),
  pid: z.int().nullable(),
  /** Its name, where it was given. */
  container: z.string().exactOptional(),
})
export type Adoption = z.infer<typeof Adoption>

/** All instances of one release, as wanted and as last observed. */
export const SetState = z.object({
  release: z.string(),
  version: z.string(),
  role: z.enum(['stable', 'candidate', 'warm', 'held', 'retiring']),
  replicas: z.int(),
  adoption: Adoption.nullable(),
  /** Sequence of the token that asked for this many instances. */
  sequence: z.int(),
  /** `stopping` once the router confirmed that nothing runs on it any more; `releasing` gives an adopted process back. */
  stage: z.enum(['wanted', 'stopping', 'releasing']),
  /** The target acknowledged the stop (or the release): what still shows is on its way out. */
  letGoAccepted: z.boolean(),
  /** Epoch under which the target last acknowledged that the set is wanted; each new epoch asks again, so that the target knows it. */
  assertedEpoch: z.int(),
  since: z.number(),
  /** When a held set is let go; `null` keeps it until somebody says so. */
  releaseAt: z.number().nullable(),
  /** Instances that take no new work and finish what they have; `replicas` does not count them any more. */
  leaving: z.array(z.string()).default([]),
  /** Instances that were let go by name: the target stops them, and they are remembered until they are gone. */
  dismissed: z.array(z.string()).default([]),
  instances: z.array(Instance),
})
export type SetState = z.infer<typeof SetState>

/** What one of several routers showed when it was last read. `took`: the routes that hold now, under their token. */
export const ShownRoutes = z.object({
  router: RouterName,
  weights: z.record(z.string(), WeightPermille),
  took: z.boolean(),
})
export type ShownRoutes = z.infer<typeof ShownRoutes>

/** Shares as decided, and routes as decided from shares and ready instances. Confirmed means read back. */
export const TrafficState = z.object({
  weights: z.record(z.string(), WeightPermille),
  /** Nobody is served, by decision; the weights are 0 then. */
  closed: Closed.nullable().default(null),
  routes: z.array(RouteSet),
  side: SideRoutes.default(NO_SIDE_ROUTES),
  /** Who was asked for `routes`. */
  router: RouterName.default('builtin'),
  /** Who was asked for them besides. */
  also: z.array(RouterName).default([]),
  /** Sequence of the token that carries `routes` to a router that has them under an earlier one than `sequence`. */
  told: z.partialRecord(RouterName, z.int()).default({}),
  /** What each of several routers shows, since the owner took over; empty where one serves. */
  shown: z.array(ShownRoutes).default([]),
  /** Who was asked before and has not let go yet. */
  left: z.array(RouterName).default([]),
  /** Those of them that were replaced for certain, and those that let go and still finish what they had. */
  former: z.array(FormerRouter).default([]),
  /** Sequence of the token that carries `routes`. */
  sequence: z.int(),
  confirmed: z
    .object({
      sequence: z.int(),
      epoch: z.int(),
      at: z.number(),
      /** Since when these shares are confirmed under this epoch without a gap. */
      since: z.number().exactOptional(),
      weights: z.record(z.string(), WeightPermille),
    })
    .nullable(),
})
export type TrafficState = z.infer<typeof TrafficState>

/** Weights on the router that are not ours, as last seen. */
export const Drift = z.object({
  /** On which of several routers. */
  router: RouterName.exactOptional(),
  observed: z.record(z.string(), WeightPermille),
  /** When these same weights were seen to come back, of late. */
  seenAt: z.array(z.number()),
  /** Left alone until a person says so; otherwise set right at once and only remembered. */
  held: z.boolean(),
  /** Sequence above which the next routes must go, or the router takes them for a repeat. */
  above: z.int(),
})
export type Drift = z.infer<typeof Drift>

export const StepProgress = z.object({
  state: z.enum(['done', 'active', 'planned', 'skipped']),
  startedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  /** Who said that it had lasted long enough, when it was skipped. */
  by: z.string().nullable().default(null),
})
export type StepProgress = z.infer<typeof StepProgress>

/** On its way (`running`), going back (`returning`), or over as far as the outcome goes (`ended`). */
export const RolloutPhase = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('running'),
    /** `failed`: the candidate failed, and the policy is to hold it where it is; nothing but the way back ends that. */
    paused: z
      .object({
        since: z.number(),
        reason: Reason,
        checks: z.array(z.string()),
        failed: z.boolean().default(false),
      })
      .nullable(),
  }),
  z.object({
    kind: z.literal('returning'),
    outcome: Outcome,
    reason: Reason,
    since: z.number(),
    /** The router does not take the routes to stable: people were alarmed, once. */
    stalled: z.boolean().default(false),
  }),
  z.object({ kind: z.literal('ended'), outcome: Outcome, reason: Reason, at: z.number() }),
])
export type RolloutPhase = z.infer<typeof RolloutPhase>

export const Exposure = z.object({ candidate: SideCounts, stable: SideCounts })
export type Exposure = z.infer<typeof Exposure>

/**
 * What somebody asked for. A `retry` may bring a blocked release again, a rollback passes an open breaker, a forced one
 * also goes to a release that is blocked.
 */
export const Order = z.enum(['deploy', 'retry', 'rollback', 'forced-rollback'])
export type Order = z.infer<typeof Order>

export const RolloutState = z.object({
  id: z.string(),
  order: Order.default('deploy'),
  /** Counted from 1 for each release, until it is stable. */
  attempt: z.int().min(1).default(1),
  plan: Plan,
  settings: ServiceSettings,
  actor: Actor,
  note: z.string(),
  startedAt: z.number(),
  adoption: Adoption.nullable(),
  phase: RolloutPhase,
  stepIndex: z.int(),
  steps: z.array(StepProgress),
  /** Why it is where it is. */
  reason: Reason,
  cursor: CountsCursor.nullable(),
  checks: z.array(CheckState),
  /** What the candidate writes and stable does not. `ranks` counts all that were ever found, `more` those that are not followed. */
  newErrors: z
    .object({ found: z.array(NewError), ranks: z.int(), more: z.int() })
    .default({ found: [], ranks: 0, more: 0 }),
  /** Of the metrics that the file declares; those that were never asked are missing. */
  metrics: z.array(MetricState).default([]),
  /** Of an A/B test; `null` before anything was counted. */
  ab: AbState.nullable().default(null),
  /** Of copies of requests; `null` before any was made. It is part of the totals, which say what was judged. */
  shadow: ShadowState.nullable().default(null),
  /** Alerts from outside that were heard while it ran, oldest first. */
  alerts: z.array(HeardAlert).default([]),
  /** Of the named checks of health; empty before the first look. */
  namedChecks: z.array(NamedCheckState).default([]),
  /** What was known of stable before; `null` where nothing was recorded. */
  baseline: BaselineFacts.nullable().default(null),
  resources: ResourceState.default(noResources),
  /** What stable did in each minute since, where less than an hour was known before. */
  stableMinutes: StableMinutes.default(() => noMinutes()),
  /** By check: the evidence for "not worse" that was there when the present stage began. */
  fineAtStep: z.record(z.string(), z.array(z.number())).default({}),
  /** Looks of the present stage one after the other: with all criteria met, and, after its time, with one not met. */
  stageLooks: z
    .object({ passes: z.int().nonnegative(), failures: z.int().nonnegative() })
    .default({ passes: 0, failures: 0 }),
  /** Batches that were counted in the watch; 0 in every other step. */
  watchLooks: z.int().nonnegative().default(0),
  /** Counted since the present weight was confirmed. */
  atStep: Exposure,
  total: Exposure,
  loss: z.object({
    probes: z.int(),
    probesLost: z.int(),
    requests: z.int(),
    unroutable: z.int(),
    /** Turned away while the service was closed, as declared. */
    closed: z.int().default(0),
    cutOnDrain: z.int(),
  }),
  /** Somebody asked to go straight to 100%: the stages between are skipped. */
  fullPromotion: z.boolean(),
  /** Somebody asked for a later step: those before it are skipped, for their reason. */
  skipTo: z.object({ index: z.int(), reason: Reason }).nullable().default(null),
  /** Since when it is held: paused, frozen, or in front of foreign weights. */
  heldSince: z.number().nullable(),
  /** How long it was held in the present step; no deadline counts it. */
  heldMs: z.number(),
  /** Warnings a person has seen and let pass. */
  acknowledged: z.array(z.string()),
  sourceFailures: z.object({ count: z.int(), since: z.number(), problem: Problem }).nullable(),
  trafficOffMs: z.number().nullable(),
  problem: Problem.nullable(),
  before: Snapshot.nullable().default(null),
  /** Reports of the steps that verify, by the index of the step. */
  verified: z.array(z.object({ index: z.int(), at: z.number(), report: VerifyReport })).default([]),
  /** Filled when the candidate becomes stable. */
  checklist: z.array(ChecklistItem).default([]),
  /** Set while instances of the candidate crash: crashes seen when the rollout began do not count. */
  crashesAtStart: z.int(),
})
export type RolloutState = z.infer<typeof RolloutState>

export const QueuedRollout = z.object({
  id: z.string(),
  order: Order.default('deploy'),
  plan: Plan,
  settings: ServiceSettings,
  actor: Actor,
  note: z.string(),
  at: z.number(),
  adoption: Adoption.nullable(),
  /** It may not begin before; `null` is as soon as possible. */
  notBefore: z.number().nullable().default(null),
  baseline: BaselineFacts.nullable().default(null),
})
export type QueuedRollout = z.infer<typeof QueuedRollout>

/** One service in one environment: the unit that is decided about as a whole. */
export const ServiceState = z.object({
  schemaVersion: z.literal(STATE_SCHEMA_VERSION),
  stream: z.string(),
  /** Epoch of the controller that owns the state now. */
  epoch: z.int(),
  /** Parts that the owner has not seen yet since it took over: nothing is done to a part before it was looked at. */
  unseen: z.array(z.enum(['router', 'target'])),
  /** Last sequence given to an effect. */
  sequence: z.int(),
  settings: ServiceSettings.nullable(),
  stable: z.object({ release: z.string(), version: z.string(), since: z.number() }).nullable(),
  /** Earlier stable releases, newest first: where a rollback may go. */
  previous: z.array(z.object({ release: z.string(), version: z.string(), since: z.number() })),
  sets: z.array(SetState),
  traffic: TrafficState,
  rollout: RolloutState.nullable(),
  queued: QueuedRollout.nullable(),
  /** The release that was promoted last is looked at for a while longer. */
  lightWatch: LightWatch.nullable(),
  /** Nothing new begins in this environment. */
  freeze: Freeze.nullable(),
  /** Which word about freezes was heard last; what is older is no news. */
  freezeAsOf: z.number(),
  drift: Drift.nullable(),
  /** Releases that may not come again before a person says so. */
  blocks: z.array(Block),
  /** Lately, oldest first: what the breaker counts. */
  automaticRollbacks: z.array(AutomaticRollback),
  breaker: Breaker.nullable(),
  /** How often each release that is not stable yet was tried, the last one tried at the end. */
  attempts: z.array(z.object({ release: z.string(), count: z.int() })),
  /** Keys of the kinds of errors that stable releases wrote, the newest at the end: those are not new today. */
  knownErrors: z.array(z.string()).default([]),
  /** The service is being given back: routes and listener go, too. */
  finalizing: z.boolean(),
  /** Instances on which the router still has work. */
  busy: z.array(z.string()),
  /** What is wrong with the parts around, by part; one problem each. */
  troubles: z.record(z.string(), Problem),
})
export type ServiceState = z.infer<typeof ServiceState>

export const newServiceState = (stream: string): ServiceState => ({
  schemaVersion: STATE_SCHEMA_VERSION,
  stream,
  epoch: 0,
  unseen: ['router', 'target'],
  sequence: 0,
  settings: null,
  stable: null,
  previous: [],
  sets: [],
  traffic: {
    weights: {},
    closed: null,
    routes: [],
    side: NO_SIDE_ROUTES,
    router: 'builtin',
    also: [],
    told: {},
    shown: [],
    left: [],
    former: [],
    sequence: 0,
    confirmed: null,
  },
  rollout: null,
  queued: null,
  lightWatch: null,
  freeze: null,
  freezeAsOf: 0,
  drift: null,
  blocks: [],
  automaticRollbacks: [],
  breaker: null,
  attempts: [],
  knownErrors: [],
  finalizing: false,
  busy: [],
  troubles: {},
})
