import * as z from 'zod'
import { HistogramBatch, RateBatch, RatioBatch, type Side, sizeOf } from './batch.ts'
import { explainJudgement } from './explain.ts'
import { budgetOf, type Judgement, judgeMetric, verdictOfAll } from './judge.ts'
import { HistogramMetric, Metric, RateMetric, RatioMetric } from './metric.ts'
import { Verdict } from './state.ts'

const MAX_METRICS = 1000
const MAX_BATCHES = 100_000

const batchesOf = <T extends z.ZodType>(batch: T) =>
  z.array(batch).max(MAX_BATCHES).describe('What both versions did in each interval, in the order of time.')

const MetricWithBatches = z.discriminatedUnion('kind', [
  RatioMetric.extend({ batches: batchesOf(RatioBatch) }),
  RateMetric.extend({ batches: batchesOf(RateBatch) }),
  HistogramMetric.extend({ batches: batchesOf(HistogramBatch) }).superRefine(countsFitBounds),
])

/** What `sluice judge` reads. */
export const JudgeInput = z.strictObject({
  alpha: z
    .number()
    .min(0.000_001)
    .max(0.5)
    .default(0.01)
    .describe('Chance that a healthy candidate is found worse, shared by all metrics of the file.'),
  metrics: z
    .array(MetricWithBatches)
    .min(1)
    .max(MAX_METRICS)
    .superRefine(namesDiffer)
    .describe('What is compared.'),
})
export type JudgeInput = z.infer<typeof JudgeInput>

const share = z.number().nullable().describe('Bad ones of all, or events per exposure; null without any.')
const JudgedSide = z.union([
  z.object({ bad: z.number(), total: z.number(), share }),
  z.object({ events: z.number(), exposure: z.number(), share }),
  z.object({ counts: z.array(z.number()), total: z.number() }),
])
type JudgedSide = z.infer<typeof JudgedSide>

const JudgedMetric = z.object({
  name: z.string(),
  verdict: Verdict,
  logEvalue: z.number().describe('Natural logarithm of the evidence for "worse" after the last batch.'),
  threshold: z.number().describe('The verdict is `worse` when `logEvalue` reached this after any batch.'),
  pValue: z.number().describe('From the highest evidence; valid however often one looked.'),
  crossedAtBatch: z
    .int()
    .nullable()
    .describe('Number of the batch, from 1, with which the threshold was reached.'),
  ratioLowerBound: z
    .number()
    .nullable()
    .describe("At least so many times stable's share, at the confidence of the metric; null without data."),
  pointsLowerBound: z
    .number()
    .nullable()
    .describe('At least so many percentage points worse; 0 when nothing is shown, null without data.'),
  candidate: JudgedSide.nullable().describe('All batches together; null without a batch.'),
  stable: JudgedSide.nullable(),
  explanation: z.string().describe('For people.'),
})

/** What `sluice judge --json` prints. */
export const JudgeOutput = z.object({
  verdict: Verdict.describe(
    'The worst of the metrics. One without data beside others that are not worse makes it `no-data`.',
  ),
  metrics: z.array(JudgedMetric),
})
export type JudgeOutput = z.infer<typeof JudgeOutput>

/** Judges what was read. Each metric has its share of `alpha`. */
export function judgeAll({ alpha, metrics }: JudgeInput): Judgement[] {
  const budget = budgetOf(alpha, metrics.length)
  return metrics.map(({ batches, ...metric }) => judgeMetric(Metric.parse(metric), batches, budget))
}

export function outputOf(judgements: readonly Judgement[]): JudgeOutput {
  return {
    verdict: verdictOfAll(judgements.map(({ standing }) => standing.verdict)),
    metrics: judgements.map((judgement) => ({
      name: judgement.metric.name,
      verdict: judgement.standing.verdict,
      logEvalue: judgement.standing.logEvalue,
      threshold: judgement.standing.threshold,
      pValue: judgement.standing.pValue,
      crossedAtBatch: judgement.crossedAtBatch,
      ratioLowerBound: judgement.bounds?.ratio ?? null,
      pointsLowerBound: judgement.bounds?.points ?? null,
      candidate: sideOf(judgement.state.counted?.candidate),
      stable: sideOf(judgement.state.counted?.stable),
      explanation: explainJudgement(judgement),
    })),
  }
}

function sideOf(side: Side | undefined): JudgedSide | null {
  if (side === undefined) return null
  const total = sizeOf(side)
  const of = (part: number): number | null => (total === 0 ? null : part / total)
  if ('bad' in side) return { ...side, share: of(side.bad) }
  if ('events' in side) return { ...side, share: of(side.events) }
  return { ...side, total }
}

type Histogram = { bounds: readonly number[]; batches: readonly z.infer<typeof HistogramBatch>[] }

function countsFitBounds({ bounds, batches }: Histogram, context: z.RefinementCtx): void {
  for (const [index, batch] of batches.entries())
    for (const side of ['candidate', 'stable'] as const)
      if (batch[side].counts.length !== bounds.length + 1) {
        context.addIssue({
          code: 'custom',
          path: ['batches', index, side, 'counts'],
          message: `has ${batch[side].counts.length} entries, but must have ${bounds.length + 1}: one for each of the ${bounds.length} bounds and one for what is above`,
        })
        return
      }
}

function namesDiffer(metrics: readonly { name: string }[], context: z.RefinementCtx): void {
  const seen = new Set<string>()
  for (const [index, { name }] of metrics.entries()) {
    if (seen.has(name))
      context.addIssue({
        code: 'custom',
        path: [index, 'name'],
        message: `is ${JSON.stringify(name)}, and so is that of another metric`,
      })
    seen.add(name)
  }
}
