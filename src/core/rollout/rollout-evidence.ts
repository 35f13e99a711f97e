import * as z from 'zod'
import { baselineTable } from '../analysis/evidence/baseline-table.ts'
import { checkEvidence } from '../analysis/evidence/check-evidence.ts'
import { BaselineTable, CheckEvidence } from '../analysis/evidence/evidence.ts'
import { unseenBy } from '../analysis/evidence/unseen.ts'
import { checksWithState, describedCheck, dispersionNow } from './judge-rollout.ts'
import { metricViews } from './metric-view.ts'
import type { Steps, Trail } from './trail.ts'
import type { CheckView } from './view.ts'

/** The verdicts of one rollout with all that they rest on. */
export const RolloutEvidence = z.object({
  rollout: z.string(),
  stream: z.string(),
  /** Versions. */
  candidate: z.string(),
  stable: z.string().nullable(),
  /** How the rollout stands, in one sentence. */
  sentence: z.string(),
  startedAt: z.number(),
  batches: z.int(),
  /** Most telling first: what was found worse, then by how near the evidence came to its threshold. */
  checks: z.array(CheckEvidence),
  baseline: BaselineTable,
  /** What the verdicts do not say, in sentences. */
  unseen: z.array(z.string()),
})
export type RolloutEvidence = z.infer<typeof RolloutEvidence>

/** A step for each check. */
export function* rolloutEvidence(
  { rollout, looks, failures }: Trail,
  { stream, sentence }: { stream: string; sentence: string },
): Steps<RolloutEvidence> {
  const checks: CheckEvidence[] = []
  for (const [index, of] of checksWithState(rollout).entries()) {
    const { verdict, sentence: said, threshold } = describedCheck(rollout, of)
    const dispersion = dispersionNow(rollout, of.check)
    checks.push(
      checkEvidence({ ...of, index }, looks, {
        verdict: verdict.verdict,
        sentence: said,
        threshold,
        dispersion,
      }),
    )
    yield
  }
  checks.sort((a, b) => weightOf(b) - weightOf(a))
  return {
    rollout: rollout.id,
    stream,
    candidate: rollout.plan.to.version,
    stable: rollout.plan.from?.version ?? null,
    sentence,
    startedAt: rollout.startedAt,
    batches: looks.length,
    checks,
    baseline: baselineTable(rollout.baseline, looks),
    unseen: [...unseenBy(checks, looks, failures), ...metricViews(rollout).map(withoutChart)],
  }
}

const withoutChart = ({ sentence }: CheckView): string =>
  `No chart above shows the declared metric ${sentence}.`

const weightOf = ({ verdict, peakLogE, threshold }: CheckEvidence): number =>
  (verdict === 'worse' ? 1000 : 0) + peakLogE / threshold
