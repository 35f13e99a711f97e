import * as z from 'zod'
import { StageCriteria } from '../release/strategy-settings.ts'
import { ReleaseRef } from '../rollout/view/view.ts'
import { Shadowing } from '../shared/mirror.ts'
import { VerifyMoment } from '../shared/verification.ts'
import { WeightPermille } from '../shared/weight.ts'
import { Outage } from './outage.ts'
import { Recommendation } from './recommendation/recommendation.ts'
import { RiskAssessment } from './risk/risk.ts'

/** Steps of the shared vocabulary that this version's strategies use. A strategy is a function to a list of them. */
export const Step = z.discriminatedUnion('kind', [
  /** Start so many of the candidate's instances, or grow to them, and wait until they are ready. */
  z.object({
    kind: z.literal('provision'),
    replicas: z.int(),
    deadlineMs: z.int(),
    /** Not before all sets together have at most so many instances more than the larger of the two releases asks for. */
    surge: z.int().exactOptional(),
  }),
  /** The checks of the file, on the candidate alone (`before`) or on the service as users reach it (`after`). */
  z.object({
    kind: z.literal('verify'),
    moment: VerifyMoment,
    checks: z.array(z.string()),
    atMostMs: z.int(),
  }),
  /** Everything that runs stops before anything else starts: nobody is served until the candidate has its share. */
  z.object({ kind: z.literal('vacate'), retryAfterS: z.int() }),
  /** The candidate is ready and has no traffic: people may look at it. Opens by itself after so long; `null` waits for one of them. */
  z.object({ kind: z.literal('gate'), durationMs: z.int().nullable() }),
  /** Give the candidate this share of traffic, confirmed by the router. */
  z.object({ kind: z.literal('traffic'), weightPermille: WeightPermille }),
  /** Stable keeps so many instances: the others leave the routes, finish what they have and stop. At least `floor` of both sets go on serving. */
  z.object({ kind: z.literal('shrink'), replicas: z.int(), floor: z.int() }),
  /** Watch the candidate at its weight; `null` waits for a person. */
  z.object({
    kind: z.literal('observe'),
    durationMs: z.int().nullable(),
    /** May end this early, once the candidate is shown to be no worse. */
    earliestMs: z.int().exactOptional(),
    /** Not decided after so long: it pauses. */
    atMostMs: z.int().exactOptional(),
    criteria: StageCriteria,
    /** It has no traffic, and copies of such requests go to it meanwhile. */
    shadow: Shadowing.exactOptional(),
  }),
  /** All traffic on the candidate, old set warm: only critical triggers act. */
  z.object({ kind: z.literal('watch'), durationMs: z.int() }),
  /** The candidate becomes stable. */
  z.object({ kind: z.literal('promote') }),
  /** The router stops sending to the old set and waits for what runs; then the old instances stop. */
  z.object({ kind: z.literal('drain') }),
  z.object({ kind: z.literal('retire') }),
  /** The old set stays ready for so long, without traffic; then it drains and stops by itself. */
  z.object({ kind: z.literal('keep'), forMs: z.int() }),
])
export type Step = z.infer<typeof Step>

export const PlannedStep = z.object({
  step: Step,
  label: z.string(),
  /** Expected duration in ms: the step's own time plus what history says about the rest; `null` waits for a person. */
  expectedMs: z.number().nullable(),
  /** What a rollback from here does, in one sentence. */
  rollback: z.string(),
  instances: z.object({ stable: z.int(), candidate: z.int() }),
  /** Both together, in percent of what stable has; `null` where nothing is stable. */
  capacityPercent: z.int().nullable().exactOptional(),
})
export type PlannedStep = z.infer<typeof PlannedStep>

/** A deploy was called after the only strategy that there was. */
const renamed = (kind: unknown): unknown => (kind === 'canary' ? 'deploy' : kind)

export const Change = z.object({ path: z.string(), from: z.string().nullable(), to: z.string().nullable() })
export type Change = z.infer<typeof Change>

/** What `deploy` would do, bound to the state it was made for. Immutable; approvals and `deploy --plan` name its hash. */
export const Plan = z.object({
  id: z.string(),
  /** SHA-256 over the canonical form of everything below except `id`, `createdAt`, `actor` and the expectations. */
  hash: z.string(),
  stream: z.string(),
  service: z.string(),
  environment: z.string(),
  kind: z.preprocess(renamed, z.enum(['first', 'deploy', 'rollback', 'none'])),
  from: ReleaseRef.nullable(),
  to: ReleaseRef.extend({
    digest: z.string(),
    /** What containers of it are made of, by content. */
    image: z.string().exactOptional(),
  }),
  /** Live state the plan was made for; a plan whose base moved is refused. */
  base: z.object({ stable: z.string().nullable(), candidate: z.string().nullable() }),
  strategy: z.string(),
  /** One sentence on why it takes these steps, where that is not the strategy alone; else empty. */
  because: z.string().default(''),
  steps: z.array(PlannedStep),
  /** Who reaches the candidate besides those whom the weights send there, one sentence each. */
  besides: z.array(z.string()).exactOptional(),
  /** Difference between the resolved configuration of `from` and `to`; secrets only by version. */
  changes: z.array(Change),
  peakInstances: z.int(),
  /** How the peak comes about, in percent of what stable has. */
  peak: z.object({ percent: z.int().nullable(), formula: z.string() }).exactOptional(),
  /** Who sends the requests, where the file says more than nothing about it. */
  router: z.object({ text: z.string(), notes: z.array(z.string()) }).exactOptional(),
  /** How much can go wrong, and what strategy fits: for people, no part of the hash. */
  risk: RiskAssessment.exactOptional(),
  recommendation: Recommendation.exactOptional(),
  expectedMs: z.number().nullable(),
  /** Nobody is served for a while, by plan: for people, no part of the hash. */
  outage: Outage.exactOptional(),
  warnings: z.array(z.string()),
  createdAt: z.number(),
  actor: z.string(),
})
export type Plan = z.infer<typeof Plan>
