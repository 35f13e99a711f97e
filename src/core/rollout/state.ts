import * as z from 'zod'
import { SideCounts } from '../analysis/batch.ts'
import { CountsCursor } from '../analysis/counts-cursor.ts'
import { CheckState } from '../analysis/judge.ts'
import { Plan } from '../plan/plan.ts'
import { ServiceSettings } from '../release/settings.ts'
import { Instance } from '../shared/instance.ts'
import { Problem } from '../shared/problem.ts'
import { RouteSet } from '../shared/routes.ts'
import { WeightPermille } from '../shared/weight.ts'
import { Outcome } from './outcome.ts'
import { Actor, Reason } from './reason.ts'

/** Version of the shape below, stored with every row. A change of shape adds an upcaster (upcast.ts). */
export const STATE_SCHEMA_VERSION = 2

/** A process that already served when it was taken under control. */
export const Adoption = z.object({ port: z.int(), pid: z.int().nullable() })
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
  instances: z.array(Instance),
})
export type SetState = z.infer<typeof SetState>

/** Shares as decided, and routes as decided from shares and ready instances. Confirmed means read back. */
export const TrafficState = z.object({
  weights: z.record(z.string(), WeightPermille),
  routes: z.array(RouteSet),
  /** Sequence of the token that carries `routes`. */
  sequence: z.int(),
  confirmed: z
    .object({
      sequence: z.int(),
      epoch: z.int(),
      at: z.number(),
      weights: z.record(z.string(), WeightPermille),
    })
    .nullable(),
})
export type TrafficState = z.infer<typeof TrafficState>

export const StepProgress = z.object({
  state: z.enum(['done', 'active', 'planned', 'skipped']),
  startedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
})
export type StepProgress = z.infer<typeof StepProgress>

/** On its way (`running`), going back (`returning`), or over as far as the outcome goes (`ended`). */
export const RolloutPhase = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('running'),
    paused: z.object({ since: z.number(), reason: Reason, checks: z.array(z.string()) }).nullable(),
  }),
  z.object({ kind: z.literal('returning'), outcome: Outcome, reason: Reason, since: z.number() }),
  z.object({ kind: z.literal('ended'), outcome: Outcome, reason: Reason, at: z.number() }),
])
export type RolloutPhase = z.infer<typeof RolloutPhase>

export const Exposure = z.object({ candidate: SideCounts, stable: SideCounts })
export type Exposure = z.infer<typeof Exposure>

export const RolloutState = z.object({
  id: z.string(),
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
  /** Counted since the present weight was confirmed. */
  atStep: Exposure,
  total: Exposure,
  loss: z.object({
    probes: z.int(),
    probesLost: z.int(),
    requests: z.int(),
    unroutable: z.int(),
    cutOnDrain: z.int(),
  }),
  /** Somebody asked to go straight to 100%: the stages between are skipped. */
  fullPromotion: z.boolean(),
  /** Warnings a person has seen and let pass. */
  acknowledged: z.array(z.string()),
  sourceFailures: z.object({ count: z.int(), since: z.number(), problem: Problem }).nullable(),
  trafficOffMs: z.number().nullable(),
  problem: Problem.nullable(),
  /** Set while instances of the candidate crash: crashes seen when the rollout began do not count. */
  crashesAtStart: z.int(),
})
export type RolloutState = z.infer<typeof RolloutState>

export const QueuedRollout = z.object({
  id: z.string(),
  plan: Plan,
  settings: ServiceSettings,
  actor: Actor,
  note: z.string(),
  at: z.number(),
  adoption: Adoption.nullable(),
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
  traffic: { weights: {}, routes: [], sequence: 0, confirmed: null },
  rollout: null,
  queued: null,
  finalizing: false,
  busy: [],
  troubles: {},
})
