import type { Event } from '../../../core/rollout/event.ts'
import type { ServiceState } from '../../../core/rollout/state.ts'
import { hasPassed } from '../../../core/shared/verification.ts'
import type { Book } from './book.ts'
import type { JournalRule } from './journal-rules.ts'
import { BAD_CHECK } from './settings.ts'

/** What strategies promise beyond the order of their steps. */
export const STRATEGY_RULES: readonly JournalRule[] = [
  ({ before, event }) => verifiedBeforeTraffic(before, event),
  ({ before, event }) => badCheckIsHeard(before, event),
  ({ before, event }) => checksAreNotInvented(before, event),
  ({ before, event }) => keptForItsTime(before, event),
  ({ book, event, after }) => goalsAreReal(book, event, after),
  ({ event, after }) => withinThePeak(event, after),
]

/** What has to be verified before it has traffic gets none before that. */
function verifiedBeforeTraffic({ rollout }: ServiceState, event: Event): string | null {
  if (event.kind !== 'weights-decided' || rollout?.phase.kind !== 'running') return null
  const { steps, to } = rollout.plan
  if ((event.weights[to.release] ?? 0) === 0) return null
  const index = steps.findIndex(({ step }) => step.kind === 'verify' && step.moment === 'before')
  const report = rollout.verified.find((one) => one.index === index)?.report
  const isVerified = index < 0 || (report !== undefined && hasPassed(report))
  return isVerified ? null : `${to.release} gets traffic and was not verified`
}

/** A release with a check that never passes is never stable, whoever pushes it. */
function badCheckIsHeard({ rollout }: ServiceState, event: Event): string | null {
  if (event.kind !== 'stable-changed' || rollout === null) return null
  const isBad = rollout.plan.steps.some(
    ({ step }) => step.kind === 'verify' && step.checks.includes(BAD_CHECK),
  )
  return isBad ? `${event.release} became stable with a check that never passes` : null
}

function checksAreNotInvented({ rollout }: ServiceState, event: Event): string | null {
  if (event.kind !== 'return-started' || event.reason.code !== 'VERIFY_FAILED') return null
  const failed = rollout?.verified.some(({ report }) => report.results.some(({ passed }) => !passed))
  return failed === true ? null : `${rollout?.plan.to.release} goes back for checks that did not fail`
}

/** Nobody is counted twice, whoever counts and however often it begins anew. */
function goalsAreReal({ truth }: Book, event: Event, { rollout }: ServiceState): string | null {
  if (event.kind !== 'variants-counted' || rollout === null) return null
  const wrong = rollout.ab?.total.find(({ variant, goals }) => goals > truth.reached(rollout.id, variant))
  return wrong === undefined
    ? null
    : `${wrong.goals} of ${wrong.variant ?? 'control'} reached the goal, more than there were`
}

/** No more instances of both versions are asked for than the plan has at its peak. */
function withinThePeak(event: Event, { rollout, sets }: ServiceState): string | null {
  if (event.kind !== 'set-wanted' || rollout?.phase.kind !== 'running') return null
  const { from, to, peakInstances, base } = rollout.plan
  // One that waited may have been made beside another release, of another size.
  if (base.stable !== (from?.release ?? null)) return null
  const wanted = sets
    .filter(
      ({ release, stage }) => stage === 'wanted' && (release === to.release || release === from?.release),
    )
    .reduce((sum, { replicas }) => sum + replicas, 0)
  return wanted <= peakInstances
    ? null
    : `${wanted} instances of ${to.release} and what it replaces are asked for, and the plan has ${peakInstances}`
}

/** The old set is kept for as long as the plan says. */
function keptForItsTime({ rollout }: ServiceState, event: Event): string | null {
  if (event.kind !== 'set-kept') return null
  const step = rollout?.plan.steps.find(({ step }) => step.kind === 'keep')?.step
  const forMs = step?.kind === 'keep' ? step.forMs : 0
  return event.until === event.at + forMs
    ? null
    : `${event.release} is kept for ${event.until - event.at} ms instead of ${forMs}`
}
