import type { Event } from '../../../core/rollout/event.ts'
import type { RolloutState, ServiceState } from '../../../core/rollout/state.ts'
import type { Book } from './book.ts'
import type { JournalRule } from './journal-rules.ts'

/** What holds for the checks of a rollout, counted once more from its events. */
export const CHECK_RULES: readonly JournalRule[] = [
  ({ book, before, event }) => weightHeldInBatch(book, before, event),
  ({ before, event }) => dryRunDoesNothing(before, event),
  ({ book, before, event }) => stagePassedOften(book, before, event),
]

/** The share by which a batch says what was due was confirmed before it, and no other one since. */
function weightHeldInBatch({ events }: Book, { rollout }: ServiceState, event: Event): string | null {
  if (event.kind !== 'metrics-observed' || rollout === null) return null
  const weight = event.batch?.weightPermille
  if (weight === undefined) return null
  const release = rollout.plan.to.release
  const last = events.findLastIndex((one) => one.event.kind === 'metrics-observed')
  const before = events.slice(0, last).findLast((one) => one.event.kind === 'routes-confirmed')
  const confirmed = [...(before === undefined ? [] : [before]), ...events.slice(last + 1)].flatMap(
    ({ event: one }) => (one.kind === 'routes-confirmed' ? [one.weights[release] ?? 0] : []),
  )
  const other = confirmed.find((one) => one !== weight)
  return other === undefined
    ? null
    : `a batch of ${release} is counted at ${weight} per mille, and ${other} were confirmed`
}

/** A check that is a dry run is no reason for anything. */
function dryRunDoesNothing({ rollout }: ServiceState, event: Event): string | null {
  if (event.kind !== 'return-started' && event.kind !== 'failure-held' && event.kind !== 'rollout-paused')
    return null
  const { check } = event.reason.evidence
  const { dryRun = [] } = rollout?.settings.analysis ?? {}
  return typeof check === 'string' && dryRun.includes(check)
    ? `${check} is a dry run, and ${event.kind} because of it`
    : null
}

/** As many looks in the stage itself as its criteria have to be met at. */
function stagePassedOften({ events }: Book, { rollout }: ServiceState, event: Event): string | null {
  const needed = passesNeeded(rollout, event)
  if (needed === null) return null
  const begun = events.findLastIndex((one) => one.event.kind === 'step-started')
  const startedAt = events[begun]?.event.at ?? 0
  const looks = events
    .slice(begun + 1)
    .filter(({ event: one }) => one.kind === 'metrics-observed' && (one.batch?.sinceAt ?? -1) >= startedAt)
  return looks.length >= needed
    ? null
    : `the stage ended after ${looks.length} looks of its own, and ${needed} have to find its criteria met`
}

function passesNeeded(rollout: RolloutState | null, event: Event): number | null {
  if (rollout === null || event.kind !== 'step-finished' || event.skipped) return null
  const step = rollout.plan.steps[event.index]?.step
  return step?.kind === 'observe' ? (step.criteria.consecutivePasses ?? null) : null
}
