import type { Batch } from '../../analysis/batch.ts'
import { addSides } from '../../analysis/batch.ts'
import { checksOf } from '../../analysis/check.ts'
import { addBatch, newCheckState } from '../../analysis/judge.ts'
import { FULL_BASELINE_MINUTES } from '../../analysis/sequential/dispersion.ts'
import { addToMinutes, type Dispersions, dispersionsAt, NO_SPREADS } from '../../analysis/stable-minutes.ts'
import type { EventOf } from '../event.ts'
import { countShadow } from '../shadow/count-shadow.ts'
import type { Exposure, RolloutState } from '../state.ts'
import { looksWith } from './stage-criteria.ts'

/** One look at the numbers of a rollout: what it adds to the totals, and to the evidence of each check. */
export function countMetrics(rollout: RolloutState, event: EventOf<'metrics-observed'>): RolloutState {
  const { batch } = event
  const loss = {
    ...rollout.loss,
    probes: rollout.loss.probes + event.probes,
    probesLost: rollout.loss.probesLost + event.probesLost,
  }
  const looked = { ...rollout, cursor: event.cursor, sourceFailures: null, loss }
  if (batch === null) return looked
  const plus = (exposure: Exposure): Exposure => ({
    candidate: addSides(exposure.candidate, batch.candidate),
    stable: addSides(exposure.stable, batch.stable),
  })
  const total = plus(rollout.total)
  const atStep = isOfThisStep(rollout, batch) ? plus(rollout.atStep) : rollout.atStep
  return {
    ...looked,
    checks: judged(rollout, batch, total),
    shadow: countShadow(rollout.shadow, batch),
    stableMinutes: withMinute(rollout, batch),
    atStep,
    stageLooks: looksWith({ ...rollout, atStep }, batch),
    watchLooks: isInWatch(rollout) ? rollout.watchLooks + 1 : 0,
    total,
    loss: {
      ...loss,
      requests: loss.requests + batch.requests + batch.unroutable + (batch.closed ?? 0),
      unroutable: loss.unroutable + batch.unroutable,
      closed: loss.closed + (batch.closed ?? 0),
      cutOnDrain: loss.cutOnDrain + batch.cutOnDrain,
    },
  }
}

function judged(rollout: RolloutState, batch: Batch, counted: Exposure): RolloutState['checks'] {
  const { errors, latency } = dispersionsOf(rollout, batch.sinceAt)
  const context = {
    counted,
    dispersion: { errors: errors.phi, latency: latency.phi },
    isWarmingUp: isWarmingUp(rollout, batch),
  }
  return checksOf(rollout.settings.analysis).map((check) => {
    const state = rollout.checks.find(({ name }) => name === check.name) ?? newCheckState(check)
    return addBatch(check, state, batch, context)
  })
}

/** How much counts vary by themselves, as it was known at this time. */
export function dispersionsOf({ settings, baseline, stableMinutes }: RolloutState, at: number): Dispersions {
  const { dispersion } = settings.analysis
  if (dispersion === null) return dispersionsAt(baseline?.spreads ?? NO_SPREADS, stableMinutes, at)
  const given = { phi: dispersion, evidence: 'full' as const, minutes: 0 }
  return { errors: given, latency: given }
}

/** Nothing is to be learned from the minutes of the rollout where a whole hour is known already. */
function withMinute(
  { settings, baseline, stableMinutes }: RolloutState,
  batch: Batch,
): RolloutState['stableMinutes'] {
  const isKnown = (baseline?.spreads.errors.minutes ?? 0) >= FULL_BASELINE_MINUTES
  if (isKnown || settings.analysis.dispersion !== null) return stableMinutes
  return addToMinutes(stableMinutes, batch.stable, batch.sinceAt)
}

const isInWatch = ({ plan, stepIndex }: RolloutState): boolean => plan.steps[stepIndex]?.step.kind === 'watch'

/** A batch that began before the step did holds requests at another weight. */
const isOfThisStep = ({ steps, stepIndex }: RolloutState, { sinceAt }: Batch): boolean =>
  sinceAt >= (steps[stepIndex]?.startedAt ?? 0)

/** The beginning of a stage, and what overlaps it: caches are cold and connections are new. */
export function isWarmingUp(
  { plan, steps, stepIndex, settings }: RolloutState,
  { sinceAt }: Pick<Batch, 'sinceAt'>,
): boolean {
  const step = plan.steps[stepIndex]?.step
  const startedAt = steps[stepIndex]?.startedAt ?? null
  if (step?.kind === 'traffic') return true
  if (startedAt === null || (step?.kind !== 'observe' && step?.kind !== 'watch')) return false
  const lasts = step.durationMs ?? Number.POSITIVE_INFINITY
  return sinceAt < startedAt + Math.min(settings.analysis.warmUpMs, lasts / 2)
}
