import * as z from 'zod'
import { dryRunText, isDryRun } from '../../analysis/dry-run.ts'
import { baselineTable } from '../../analysis/evidence/baseline-table.ts'
import { checkEvidence } from '../../analysis/evidence/check-evidence.ts'
import { BaselineTable, CheckEvidence, ValueEvidence } from '../../analysis/evidence/evidence.ts'
import { unseenBy } from '../../analysis/evidence/unseen.ts'
import { gaugesOf } from '../../analysis/resources/gauge.ts'
import { checksWithState, describedCheck, dispersionNow } from '../judging/judge-rollout.ts'
import { metricEvidence } from '../metrics/metric-evidence.ts'
import { valueEvidence } from '../metrics/value-evidence.ts'
import type { RolloutState } from '../state.ts'
import { checkViews } from '../view/check-view.ts'
import { CheckView } from '../view/view.ts'
import type { Steps, Trail } from './trail.ts'

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
  /**
   * Declared metrics that are counted among them. Most telling first: what was found worse, then by how near the evidence
   * came to its threshold.
   */
  checks: z.array(CheckEvidence),
  /** Declared metrics that are one number for each version. */
  values: z.array(ValueEvidence),
  /** Limits of what instances use: there is nothing more to them than their row. */
  resources: z.array(CheckView),
  baseline: BaselineTable,
  /** What the verdicts do not say, in sentences. */
  unseen: z.array(z.string()),
})
export type RolloutEvidence = z.infer<typeof RolloutEvidence>

/** A step for each check. */
export function* rolloutEvidence(
  { rollout, looks, failures, metrics }: Trail,
  { stream, sentence }: { stream: string; sentence: string },
): Steps<RolloutEvidence> {
  const checks: CheckEvidence[] = []
  for (const [index, of] of checksWithState(rollout).entries()) {
    const { verdict, sentence: said, threshold } = describedCheck(rollout, of)
    const dispersion = dispersionNow(rollout, of.check)
    const evidence = checkEvidence({ ...of, index }, looks, {
      verdict: verdict.verdict,
      sentence: said,
      threshold,
      dispersion,
    })
    checks.push(isDryRun(rollout.settings.analysis, evidence.name) ? triedOnly(evidence) : evidence)
    yield
  }
  const values: ValueEvidence[] = []
  for (const metric of rollout.settings.analysis.metrics) {
    const sampled = metrics.get(metric.name) ?? []
    const counted = metricEvidence(rollout, metric, sampled)
    if (counted !== null) checks.push(counted)
    const value = valueEvidence(rollout, metric, sampled)
    if (value !== null) values.push(value)
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
    values,
    resources: checkViews(rollout).filter(({ name }) => isGauge(rollout, name)),
    baseline: baselineTable({
      recorded: rollout.baseline,
      looks,
      use: rollout.resources,
      targets: rollout.settings.analysis.targets,
    }),
    unseen: unseenBy(checks, looks, failures),
  }
}

const isGauge = ({ settings }: RolloutState, name: string): boolean =>
  gaugesOf(settings.analysis).some((gauge) => gauge.name === name)

const triedOnly = (evidence: CheckEvidence): CheckEvidence => ({
  ...evidence,
  tier: 'report',
  sentence: `${evidence.sentence}${dryRunText(evidence.tier, evidence.verdict === 'worse')}`,
})

const weightOf = ({ verdict, peakLogE, threshold }: CheckEvidence): number =>
  (verdict === 'worse' ? 1000 : 0) + peakLogE / threshold
