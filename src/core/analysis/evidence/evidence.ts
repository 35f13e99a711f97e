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

/** Where the numbers of a declared metric come from, and how the asking went. */
export const Asking = z.object({
  provider: z.string(),
  /** The question about the candidate as it was asked last, secrets hidden. */
  asked: z.array(z.string()),
  /** The last window that was answered, in ms since the epoch; `null` before the first. */
  window: z.object({ fromMs: z.number(), toMs: z.number() }).nullable(),
  /** Windows with numbers of both versions, windows in which one had nothing, and questions that failed. */
  counted: z.int(),
  empty: z.int(),
  failed: z.int(),
})
export type Asking = z.infer<typeof Asking>

/** Everything a person needs to check one verdict. Shares are 0 to 1, points are percentage points, logarithms natural. */
export const CheckEvidence = z.object({
  name: z.string(),
  tier: z.enum(['critical', 'warning', 'compare', 'report']),
  verdict: Verdict,
  sentence: z.string(),
  limit: z.string(),
  /** What is counted, for people: `Errors`, `Slower than 300 ms`, `payment-failures of total`. */
  counted: z.string(),
  /** How a share is shown: of 100, or events for each 100 of what they are counted against. */
  unit: z.enum(['percent', 'per-100']),
  /** Whether more or fewer of them are the harm; of a metric that looks for both, the one with the stronger evidence. */
  harm: z.enum(['more', 'less']),
  /** Requests slower than this are the bad ones; `null` where they are errors, or no bound was chosen yet. */
  boundMs: z.number().nullable(),
  about: z.enum(['errors', 'latency', 'throughput', 'crashes', 'differing', 'declared']),
  /** `null` for the checks that are always made. */
  asking: Asking.nullable(),
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
  /** Number of the batch of the rollout, or of the counted window of a declared metric, from 1. */
  crossedAtBatch: z.int().nullable(),
  /** Batches that were added to the evidence. */
  looks: z.int(),
  /** Lower bounds at the confidence of the check; `null` where the check has none of the kind. */
  atLeast: z.object({
    ratio: z.number().nullable(),
    points: z.number().nullable(),
    share: z.number().nullable(),
  }),
  /**
   * Share of bad ones up to which the verdict would never have been `worse`; where less is the harm, from which on. `null`
   * for a histogram and without data.
   */
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
  /** What the evidence of the last batch was divided by. `unknown`: nobody knows how much the counts vary by themselves. */
  dispersion: z.object({
    phi: z.number(),
    evidence: z.enum(['full', 'weaker', 'unknown']),
    minutes: z.int(),
  }),
  points: z.array(EvidencePoint),
})
export type CheckEvidence = z.infer<typeof CheckEvidence>

/** One window of a metric that is one number for each version. */
export const ValuePoint = z.object({
  at: z.number(),
  candidate: z.number(),
  stable: z.number(),
  /** The candidate in percent of stable, a fall is negative; `null` where stable is zero. */
  percent: z.number().nullable(),
})
export type ValuePoint = z.infer<typeof ValuePoint>

/** A declared metric that is no count: both values and the limits. It has no statistics, so there is no evidence to it. */
export const ValueEvidence = z.object({
  name: z.string(),
  tier: z.enum(['critical', 'warning', 'report']),
  /** By the last windows, as many as its failure limit looks at. */
  verdict: z.enum(['ok', 'warning', 'critical', 'no-data', 'provider-broken']),
  sentence: z.string(),
  limit: z.string(),
  direction: z.enum(['more-is-worse', 'less-is-worse', 'either']),
  /** Percent of stable; `null`: there is no such limit. */
  warningPercent: z.number(),
  criticalPercent: z.number().nullable(),
  /** When a window first reached the limit, with its number from 1; `null` when none did. */
  warnedAt: z.object({ at: z.number(), window: z.int() }).nullable(),
  criticalAt: z.object({ at: z.number(), window: z.int() }).nullable(),
  /** The values of the candidate between which the last window would have been all right; `null` is no bound. */
  passing: z.object({ least: z.number().nullable(), most: z.number().nullable() }).nullable(),
  windows: z.int(),
  asking: Asking,
  /** More windows than points: the one farthest from stable of each stretch. */
  points: z.array(ValuePoint),
})
export type ValueEvidence = z.infer<typeof ValueEvidence>

/** What only the kind of the check can tell. */
export type Facts = Pick<
  CheckEvidence,
  'boundMs' | 'limitShare' | 'atLeast' | 'passing' | 'needed' | 'leastNoticed'
>

/** What stable did before, what it does beside the candidate, and what the candidate does. */
export const BaselineTable = z.object({
  /** What a change is a change of. `recorded`: stable before the rollout. `rollout`: stable beside the candidate, since nothing was recorded. */
  before: z.enum(['recorded', 'rollout']),
  rows: z.array(
    z.object({
      metric: z.string(),
      before: z.string(),
      stable: z.string(),
      now: z.string(),
      /** Of CPU, disk and network for each request: a version uses less of them where it has less traffic. */
      change: z.string(),
      /** Health target, reported and never a trigger; empty where there is none. */
      target: z.string(),
      status: z.enum(['met', 'missed', 'not-known', 'none']),
    }),
  ),
  /** Why something is not known, in whole sentences. */
  notes: z.array(z.string()),
})
export type BaselineTable = z.infer<typeof BaselineTable>
