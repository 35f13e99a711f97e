import * as z from 'zod'
import { Verdict } from '../sequential/state.ts'

const Counted = z.object({ bad: z.number(), total: z.number() })

/** One or several batches after each other; more batches than points are drawn together. */
export const EvidencePoint = z.object({
  /** End of the last batch. */
  at: z.number(),
  /** Log evidence after a batch, the highest one of the point. */
  logE: z.number(),
  /** Requests of this point alone. */
  candidate: Counted,
  stable: Counted,
})
export type EvidencePoint = z.infer<typeof EvidencePoint>

/** Everything a person needs to check one verdict. Shares are 0 to 1, points are percentage points, logarithms natural. */
export const CheckEvidence = z.object({
  name: z.string(),
  tier: z.enum(['critical', 'warning', 'compare']),
  verdict: Verdict,
  sentence: z.string(),
  limit: z.string(),
  /** Requests slower than this are the bad ones; `null` where they are errors, or no bound was chosen yet. */
  boundMs: z.number().nullable(),
  about: z.enum(['errors', 'latency']),
  /** Share of bad ones above which an absolute limit is broken; `null` for a comparison with stable. */
  limitShare: z.number().nullable(),
  /** All batches together. */
  candidate: Counted,
  stable: Counted,
  /** Evidence after the last batch, the highest after any batch, and where the verdict is `worse`. */
  logE: z.number(),
  peakLogE: z.number(),
  threshold: z.number(),
  /** From the highest evidence; valid however often one looked. */
  pValue: z.number(),
  /** Fewer than 1 in so many healthy rollouts would look this bad at any time. */
  oneIn: z.int(),
  crossedAt: z.number().nullable(),
  /** Number of the batch of the rollout, from 1. */
  crossedAtBatch: z.int().nullable(),
  /** Batches that were added to the evidence. */
  looks: z.int(),
  /** Lower bounds at the confidence of the check; `null` where the check has none of the kind. */
  atLeast: z.object({
    ratio: z.number().nullable(),
    points: z.number().nullable(),
    share: z.number().nullable(),
  }),
  /** Share of bad ones up to which the verdict would not have been `worse`; `null` for a histogram and without data. */
  passing: z.number().nullable(),
  needed: z.object({
    /** What would be noticed, for people: `one that is 1 point worse`. */
    what: z.string(),
    toNotice: z.number().nullable(),
    toRuleOut: z.number().nullable(),
  }),
  /**
   * The smallest rise that as many requests as were compared would have shown; points are `null` where none would.
   * `null` for an absolute limit and without data.
   */
  leastNoticed: z.object({ requests: z.number(), points: z.number().nullable() }).nullable(),
  /** What the evidence of the last batch was divided by. */
  dispersion: z.object({ phi: z.number(), evidence: z.enum(['full', 'weaker']), minutes: z.int() }),
  points: z.array(EvidencePoint),
})
export type CheckEvidence = z.infer<typeof CheckEvidence>

/** What only the kind of the check can tell. */
export type Facts = Pick<
  CheckEvidence,
  'boundMs' | 'limitShare' | 'atLeast' | 'passing' | 'needed' | 'leastNoticed'
>

/** What release there was before beside what the candidate did. */
export const BaselineTable = z.object({
  /** `recorded`: stable before the rollout. `rollout`: stable beside the candidate, since nothing was recorded. */
  before: z.enum(['recorded', 'rollout']),
  rows: z.array(
    z.object({
      metric: z.string(),
      before: z.string(),
      now: z.string(),
      change: z.string(),
      /** Health target, reported and never a trigger; empty where there is none. */
      target: z.string(),
      status: z.enum(['met', 'missed', 'none']),
    }),
  ),
})
export type BaselineTable = z.infer<typeof BaselineTable>
