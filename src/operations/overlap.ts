import type { PlanContent } from '../core/plan/compose.ts'
import type { Plan } from '../core/plan/plan.ts'
import { isWatching, runningRollout } from '../core/rollout/rollout-position.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { formatWeight } from '../core/shared/weight.ts'

type Made = Pick<PlanContent, 'to' | 'steps'>

/** What a plan means for the rollout that is on its way. */
export function overlapWarnings(state: ServiceState, made: Made): string[] {
  const rollout = runningRollout(state)
  if (rollout === null) return []
  const { version, release } = rollout.plan.to
  if (release === made.to.release) return isAsAgreed(rollout.plan, made) ? [] : [agreedFirst(rollout.plan)]
  return isWatching(rollout)
    ? [
        `${version} is being watched: ${made.to.version} waits until the watch ends (or deploy it with --now).`,
      ]
    : [
        `${version} is on its way: ${made.to.version} would take its place, and its traffic returns to stable first.`,
      ]
}

const isAsAgreed = (agreed: Plan, made: Made): boolean => stepsText(agreed) === stepsText(made)

const stepsText = ({ steps }: Pick<Made, 'steps'>): string => JSON.stringify(steps.map(({ step }) => step))

/** A rollout is what somebody agreed to, whatever the file says meanwhile. */
function agreedFirst({ to, steps }: Plan): string {
  const shares = steps.flatMap(({ step }) =>
    step.kind === 'traffic' ? [formatWeight(step.weightPermille)] : [],
  )
  return `${to.version} is on its way by the plan that was agreed to (${shares.join(', ')}); what was changed since takes effect with the next plan. Go to another step of it with "sluice jump", or abort it and deploy it again.`
}
