import * as z from 'zod'
import { Batch, SideCounts } from '../analysis/batch.ts'
import { CountsCursor } from '../analysis/counts-cursor.ts'
import { WorkSplit } from '../analysis/new-errors.ts'
import { ErrorSignature } from '../shared/error-signature/report.ts'
import { Freeze } from '../shared/freeze.ts'
import { Instance } from '../shared/instance.ts'
import { Problem } from '../shared/problem.ts'
import { RouterName } from '../shared/router-ability.ts'
import { CutRequest } from '../shared/router-state.ts'
import { RouteSet } from '../shared/routes.ts'
import { Closed, NO_SIDE_ROUTES, SideRoutes } from '../shared/side-routes.ts'
import { VerifyReport } from '../shared/verification.ts'
import { WeightPermille } from '../shared/weight.ts'
import { ArmSeen } from './ab/ab-state.ts'
import { Block } from './block.ts'
import { AutomaticRollback } from './breaker.ts'
import { ChecklistItem } from './checklist.ts'
import { HeardAlert } from './judging/heard-alert.ts'
import { NamedCheckState } from './judging/named-check-state.ts'
import { ObservedUse } from './judging/resource-state.ts'
import { LightWatch } from './light-watch/light-watch.ts'
import { SampledWindow } from './metrics/metric-state.ts'
import { Outcome } from './outcome.ts'
import { Reason } from './reason.ts'
import { Adoption, QueuedRollout, ShownRoutes } from './state.ts'

const Weights = z.record(z.string(), WeightPermille)

/** What happened, in the order it was decided. Appended before any effect; the state is nothing but their fold. */
export const Event = z.discriminatedUnion('kind', [
  /** `method`: how whoever wrote it judges (`analysis/method.ts`); absent from before that was recorded. */
  z.object({
    kind: z.literal('controller-started'),
    at: z.number(),
    epoch: z.int(),
    method: z.int().exactOptional(),
  }),
  /** The first look at a part since the owner took over. */
  z.object({ kind: z.literal('part-seen'), at: z.number(), part: z.enum(['router', 'target']) }),
  z.object({
    kind: z.literal('rollout-started'),
    at: z.number(),
    rollout: QueuedRollout,
    method: z.int().exactOptional(),
  }),
  z.object({ kind: z.literal('rollout-queued'), at: z.number(), rollout: QueuedRollout }),
  z.object({ kind: z.literal('queue-dropped'), at: z.number(), rollout: z.string(), reason: Reason }),
  z.object({ kind: z.literal('step-started'), at: z.number(), index: z.int() }),
  z.object({
    kind: z.literal('step-finished'),
    at: z.number(),
    index: z.int(),
    skipped: z.boolean(),
    reason: Reason,
  }),
  z.object({ kind: z.literal('step-reopened'), at: z.number(), index: z.int(), reason: Reason }),
  z.object({
    kind: z.literal('set-wanted'),
    at: z.number(),
    release: z.string(),
    version: z.string(),
    replicas: z.int(),
    adoption: Adoption.nullable(),
    role: z.enum(['stable', 'candidate']),
    sequence: z.int(),
  }),
  z.object({
    kind: z.literal('set-held'),
    at: z.number(),
    release: z.string(),
    until: z.number().nullable(),
  }),
  /** The old set stays ready for an instant way back. */
  z.object({ kind: z.literal('set-kept'), at: z.number(), release: z.string(), until: z.number() }),
  /** With a reason when a person let it go. */
  z.object({
    kind: z.literal('set-retiring'),
    at: z.number(),
    release: z.string(),
    reason: Reason.exactOptional(),
  }),
  z.object({ kind: z.literal('set-stopping'), at: z.number(), release: z.string(), sequence: z.int() }),
  /** The set keeps so many instances; those that are named take no new work from now on. */
  z.object({
    kind: z.literal('set-shrunk'),
    at: z.number(),
    release: z.string(),
    replicas: z.int(),
    leaving: z.array(z.string()),
  }),
  /** The router confirmed that nothing runs on these any more: they stop. */
  z.object({
    kind: z.literal('instances-dismissed'),
    at: z.number(),
    release: z.string(),
    instances: z.array(z.string()),
    sequence: z.int(),
  }),
  z.object({ kind: z.literal('let-go-accepted'), at: z.number(), release: z.string() }),
  /** The target acknowledged under this epoch that the set is wanted. */
  z.object({ kind: z.literal('set-asserted'), at: z.number(), release: z.string(), epoch: z.int() }),
  z.object({ kind: z.literal('set-gone'), at: z.number(), release: z.string() }),
  z.object({
    kind: z.literal('instances-observed'),
    at: z.number(),
    release: z.string(),
    instances: z.array(Instance),
  }),
  /** Which retiring instances the router still has work on, and what it had to cut. */
  z.object({
    kind: z.literal('busy-observed'),
    at: z.number(),
    instances: z.array(z.string()),
    cut: z.array(CutRequest),
  }),
  z.object({
    kind: z.literal('weights-decided'),
    at: z.number(),
    weights: Weights,
    /** Nobody is served until weights are decided again. */
    closed: Closed.exactOptional(),
    reason: Reason,
  }),
  z.object({
    kind: z.literal('routes-decided'),
    at: z.number(),
    routes: z.array(RouteSet),
    side: SideRoutes.default(NO_SIDE_ROUTES),
    router: RouterName.default('builtin'),
    /** Who is asked for them besides. */
    also: z.array(RouterName).exactOptional(),
    /** The others have these routes already, and are not told again. */
    only: RouterName.exactOptional(),
    sequence: z.int(),
  }),
  /** What several routers show is another thing than before, and not the same everywhere. */
  z.object({ kind: z.literal('routes-shown'), at: z.number(), shown: z.array(ShownRoutes) }),
  /** A router that served before has nothing of the service any more. */
  z.object({ kind: z.literal('router-left'), at: z.number(), router: RouterName }),
  /** Instances on which a router that served before still has work; with the last of it what it had to cut. */
  z.object({
    kind: z.literal('former-router-seen'),
    at: z.number(),
    router: RouterName,
    busy: z.array(z.string()),
    cut: z.array(CutRequest),
  }),
  z.object({
    kind: z.literal('routes-confirmed'),
    at: z.number(),
    sequence: z.int(),
    epoch: z.int(),
    weights: Weights,
  }),
  z.object({
    kind: z.literal('routes-drifted'),
    at: z.number(),
    /** On which of several routers. */
    router: RouterName.exactOptional(),
    observed: Weights,
    cause: z.enum(['edited', 'lost', 'reverted']),
    /** The foreign weights are left alone until a person says so. */
    held: z.boolean().default(false),
    /** How often they came back of late, this time included. */
    times: z.int().default(1),
    /** Highest sequence that the router has seen: the next routes must go above it. */
    above: z.int().default(0),
  }),
  /** Our routes may be set again. */
  z.object({ kind: z.literal('drift-settled'), at: z.number(), reason: Reason }),
  z.object({
    kind: z.literal('freeze-began'),
    at: z.number(),
    freeze: Freeze,
    asOf: z.number(),
    reason: Reason,
  }),
  z.object({ kind: z.literal('freeze-ended'), at: z.number(), asOf: z.number(), reason: Reason }),
  z.object({
    kind: z.literal('metrics-observed'),
    at: z.number(),
    batch: Batch.nullable(),
    cursor: CountsCursor,
    probes: z.int(),
    probesLost: z.int(),
    /** What the instances used; absent where the target cannot tell, or has not measured since. */
    use: ObservedUse.exactOptional(),
  }),
  /** What the data plane counted of an A/B test since it began to count (`boot`). */
  z.object({ kind: z.literal('variants-counted'), at: z.number(), boot: z.string(), arms: z.array(ArmSeen) }),
  /** Stable writes kinds of errors that it was not known to write. */
  z.object({ kind: z.literal('errors-known'), at: z.number(), keys: z.array(z.string()) }),
  /** What the candidate wrote and stable never did: kinds nobody has seen, and how often those that were seen came again. */
  z.object({
    kind: z.literal('errors-said'),
    at: z.number(),
    fresh: z.array(ErrorSignature.extend({ key: z.string() })),
    counts: z.array(z.object({ key: z.string(), count: z.int(), lastAt: z.number() })),
    /** Kinds beyond those that are followed. */
    more: z.int(),
    /** How the work of the interval was split; `null` where that is not known. */
    split: WorkSplit.nullable(),
  }),
  /** A monitoring system says that something about the service is wrong, or right again. */
  z.object({ kind: z.literal('alert-heard'), at: z.number(), alert: HeardAlert }),
  z.object({ kind: z.literal('alert-over'), at: z.number(), alert: HeardAlert }),
  /** What candidate and stable say about the named checks of health is another thing than before. */
  z.object({ kind: z.literal('named-checks-seen'), at: z.number(), checks: z.array(NamedCheckState) }),
  z.object({ kind: z.literal('metrics-failed'), at: z.number(), problem: Problem }),
  /** One window of a declared metric. `turned` is said when the patience with it ended, or it is well again. */
  z.object({
    kind: z.literal('metric-sampled'),
    at: z.number(),
    metric: z.string(),
    sample: SampledWindow,
    turned: z.enum(['no-data', 'provider-broken', 'healed']).exactOptional(),
  }),
  /** The checks of a step that verifies were made. */
  z.object({ kind: z.literal('verified'), at: z.number(), index: z.int(), report: VerifyReport }),
  z.object({
    kind: z.literal('rollout-paused'),
    at: z.number(),
    reason: Reason,
    checks: z.array(z.string()),
  }),
  z.object({ kind: z.literal('rollout-resumed'), at: z.number(), reason: Reason }),
  z.object({ kind: z.literal('full-promotion-asked'), at: z.number(), reason: Reason }),
  /** To the step with this index: what lies between is skipped, or begins anew. */
  z.object({ kind: z.literal('jump-asked'), at: z.number(), index: z.int(), reason: Reason }),
  z.object({
    kind: z.literal('return-started'),
    at: z.number(),
    outcome: Outcome,
    reason: Reason,
    problem: Problem.nullable(),
  }),
  /** The router does not take the routes to stable; said once for each return. */
  z.object({ kind: z.literal('return-stalled'), at: z.number(), problem: Problem }),
  /** The candidate failed and stays where it is, as configured. */
  z.object({ kind: z.literal('failure-held'), at: z.number(), reason: Reason }),
  z.object({ kind: z.literal('release-blocked'), at: z.number(), block: Block }),
  z.object({ kind: z.literal('release-unblocked'), at: z.number(), release: z.string(), reason: Reason }),
  z.object({
    kind: z.literal('breaker-opened'),
    at: z.number(),
    rollbacks: z.array(AutomaticRollback),
    reason: Reason,
  }),
  z.object({ kind: z.literal('breaker-closed'), at: z.number(), reason: Reason }),
  z.object({
    kind: z.literal('stable-changed'),
    at: z.number(),
    release: z.string(),
    version: z.string(),
    checklist: z.array(ChecklistItem).default([]),
  }),
  z.object({
    kind: z.literal('outcome-reached'),
    at: z.number(),
    outcome: Outcome,
    reason: Reason,
    trafficOffMs: z.number().nullable(),
    /** Whose budget the time to take traffic off is held against. */
    strategy: z.string().exactOptional(),
  }),
  z.object({ kind: z.literal('light-watch-began'), at: z.number(), watch: LightWatch }),
  /** What was counted of the promoted release since the last count that was kept. */
  z.object({
    kind: z.literal('light-watch-counted'),
    at: z.number(),
    counts: SideCounts,
    sinceAt: z.number(),
    cursor: CountsCursor,
  }),
  /** No numbers from here on, until the next count; said once. */
  z.object({ kind: z.literal('light-watch-blind'), at: z.number(), problem: Problem.nullable() }),
  z.object({ kind: z.literal('light-watch-alarmed'), at: z.number(), check: z.string(), reason: Reason }),
  z.object({ kind: z.literal('light-watch-ended'), at: z.number(), reason: Reason }),
  z.object({ kind: z.literal('control-released'), at: z.number(), reason: Reason, sequence: z.int() }),
  z.object({ kind: z.literal('service-finalized'), at: z.number() }),
  z.object({ kind: z.literal('trouble-seen'), at: z.number(), part: z.string(), problem: Problem }),
  z.object({ kind: z.literal('trouble-over'), at: z.number(), part: z.string() }),
])
export type Event = z.infer<typeof Event>
export type EventOf<K extends Event['kind']> = Extract<Event, { kind: K }>
