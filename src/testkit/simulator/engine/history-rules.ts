import { isWorker } from '../../../core/release/worker.ts'
import { limitsOf, stableSet } from '../../../core/rollout/batches/planned.ts'
import type { Event, EventOf } from '../../../core/rollout/event.ts'
import { isWayBack } from '../../../core/rollout/refusal.ts'
import { readyInstances } from '../../../core/rollout/routing.ts'
import { servedToUsers } from '../../../core/rollout/shadow/count-shadow.ts'
import type { RolloutState, ServiceState, SetState } from '../../../core/rollout/state.ts'
import type { Book } from './book.ts'
import type { JournalRule } from './journal-rules.ts'
import { isClosed } from './settings.ts'

/** The same foreign weights are answered at most twice in this time; after that another tool sets them. */
const FIGHT_TIMES = 3
const FIGHT_WITHIN_MS = 15 * 60_000

/** What the whole history tells, counted here once more from the events alone: a state that counts wrong shows. */
export const HISTORY_RULES: readonly JournalRule[] = [
  ({ book, before, event }) => stageHasItsOwnNumbers(book, before, event),
  ({ before, event }) => heldStandsStill(before, event),
  ({ before, event }) => mayBegin(before, event),
  ({ book, event }) => blockedStaysAway(book, event),
  ({ book, before, event }) => breakerOpens(book, before, event),
  ({ book, event, after }) => attemptsAreCounted(book, event, after),
  ({ book, before, event }) => deadlineIsServed(book, before, event),
  ({ book, before, event }) => driftIsNotFought(book, before, event),
  ({ before, event }) => enoughAreReady(before, event),
  ({ before, event }) => stableIsNotGivenUp(before, event),
  ({ book, before, event }) => onlyServedIsCounted(book, before, event),
  ({ book, before, event }) => newErrorsAreNew(book, before, event),
]

const candidateOf = (rollout: RolloutState): string => rollout.plan.to.release
const setOf = ({ sets }: ServiceState, release: string): SetState | undefined =>
  sets.find((set) => set.release === release)

/** The events since the last one that fits, newest first; all when none does. */
function since({ events }: Book, isStart: (event: Event) => boolean): Event[] {
  const start = events.findLastIndex(({ event }) => isStart(event))
  return events.slice(start + 1).map(({ event }) => event)
}

/** A stage is passed by what the candidate answered in it, at its weight. */
function stageHasItsOwnNumbers(book: Book, { rollout }: ServiceState, event: Event): string | null {
  if (rollout === null || event.kind !== 'step-finished' || event.skipped) return null
  const step = rollout.plan.steps[event.index]?.step
  if (step?.kind !== 'observe' || isWorker(rollout.settings)) return null
  const begun = book.events.findLast((one) => one.event.kind === 'step-started')?.event.at ?? 0
  const seen = since(book, ({ kind }) => kind === 'step-started')
    .flatMap((one) => (one.kind === 'metrics-observed' ? (one.batch ?? []) : []))
    .filter(({ sinceAt }) => sinceAt >= begun)
    .reduce((sum, { candidate }) => sum + candidate.requests, 0)
  const needed = Object.keys(step.criteria).length > 0 ? rollout.settings.analysis.minRequests : 1
  return seen >= needed ? null : `the stage ended after ${seen} of ${needed} requests of its own`
}

const MOVES: readonly Event['kind'][] = ['step-started', 'step-finished', 'stable-changed', 'weights-decided']

/** In a frozen environment, and in front of foreign weights that are left alone, nothing goes forward. */
function heldStandsStill(before: ServiceState, event: Event): string | null {
  const why = heldBy(before)
  return why === null || why === 'pause' || !MOVES.includes(event.kind)
    ? null
    : `${before.rollout?.id} is held by ${why} and goes on: ${event.kind}`
}

function heldBy({
  rollout,
  stable,
  freeze,
  drift,
  traffic,
}: ServiceState): 'pause' | 'freeze' | 'drift' | null {
  if (rollout?.phase.kind !== 'running') return null
  if (rollout.phase.paused !== null) return 'pause'
  if (drift?.held === true) return 'drift'
  // Where nobody is served the way out is ahead.
  const isBound =
    !isWayBack(rollout.order) && stable?.release !== candidateOf(rollout) && traffic.closed === null
  return freeze !== null && isBound ? 'freeze' : null
}

function mayBegin({ freeze, breaker }: ServiceState, event: Event): string | null {
  if (event.kind !== 'rollout-started' || isWayBack(event.rollout.order)) return null
  const { id, settings } = event.rollout
  if (freeze !== null) return `${id} began in a frozen environment`
  if (breaker !== null) return `${id} began although the breaker is open`
  return settings.windows.length > 0 && isClosed(event.at) ? `${id} began outside of its windows` : null
}

/** What failed does not come again before a person says so. */
function blockedStaysAway({ events }: Book, event: Event): string | null {
  if (event.kind !== 'rollout-started' || event.rollout.order !== 'deploy') return null
  const { release } = event.rollout.plan.to
  const last = events.findLast(
    ({ event: one }) =>
      (one.kind === 'release-blocked' && one.block.release === release) ||
      ((one.kind === 'release-unblocked' || one.kind === 'stable-changed') && one.release === release),
  )?.event
  return last?.kind === 'release-blocked' ? `${release} is blocked and begins again` : null
}

/** So many rollbacks that nobody ordered, and the breaker must be open. */
function breakerOpens(book: Book, { rollout, breaker }: ServiceState, event: Event): string | null {
  if (event.kind !== 'outcome-reached' || rollout === null || breaker !== null) return null
  const limit = rollout.settings.rollback.breaker
  const returns = since(book, ({ kind }) => kind === 'breaker-closed').filter(isAutomatic)
  const last = returns.at(-1)
  if (limit === null || last === undefined || !isOf(book, rollout, last)) return null
  const recent = returns.filter(({ at }) => last.at - at < limit.withinMs).length
  return recent >= limit.count ? `${recent} automatic rollbacks, and the breaker is closed` : null
}

/** What is called new was never written by a stable release, and an event about errors says something. */
function newErrorsAreNew({ events }: Book, { rollout, stable }: ServiceState, event: Event): string | null {
  if (event.kind !== 'errors-said') return null
  const keys = [...event.fresh, ...event.counts].map(({ key }) => key)
  const known = events.flatMap(({ event: one }) => (one.kind === 'errors-known' ? one.keys : []))
  const stale = keys.find((key) => known.includes(key))
  if (stale !== undefined) return `${stale} is called new, and stable is known to write it`
  if (keys.length === 0) return 'an event about errors says nothing'
  return rollout === null || stable?.release === candidateOf(rollout) ? 'new errors of no candidate' : null
}

const isAutomatic = (event: Event): boolean =>
  event.kind === 'return-started' && event.outcome === 'rolled_back' && event.reason.actor.kind === 'engine'

/** The event came after this rollout began. */
const isOf = (book: Book, { id }: RolloutState, event: Event): boolean =>
  since(book, (one) => one.kind === 'rollout-started' && one.rollout.id === id).includes(event)

function attemptsAreCounted({ events }: Book, event: Event, { rollout }: ServiceState): string | null {
  if (event.kind !== 'rollout-started' || rollout === null) return null
  const release = candidateOf(rollout)
  const start = events.findLastIndex(
    ({ event: one }) => one.kind === 'stable-changed' && one.release === release,
  )
  const earlier = events
    .slice(start + 1)
    .filter(({ event: one }) => one.kind === 'rollout-started' && one.rollout.plan.to.release === release)
  return rollout.attempt === earlier.length + 1
    ? null
    : `attempt ${earlier.length + 1} of ${release} is counted as ${rollout.attempt}`
}

/** Who is given up for its deadline had all of it; time in which it was held does not count. */
function deadlineIsServed(book: Book, before: ServiceState, event: Event): string | null {
  const served = book.deadline
  const isNew = event.kind === 'step-started' || event.kind === 'set-wanted'
  if (heldBy(before) === null) served.ms += Math.max(0, event.at - (served.at ?? event.at))
  served.at = event.at
  if (isNew) served.ms = 0
  const isGivenUp = event.kind === 'return-started' || event.kind === 'failure-held'
  const { rollout } = before
  if (!isGivenUp || rollout === null || event.reason.code !== 'NEVER_READY') return null
  if (!book.truth.clocksAreRight || isHopeless(setOf(before, candidateOf(rollout)))) return null
  const { deadlineMs } = rollout.settings.health
  return served.ms >= deadlineMs
    ? null
    : `${candidateOf(rollout)} was given up after ${served.ms} of ${deadlineMs} ms`
}

const isHopeless = (set: SetState | undefined): boolean =>
  set?.instances.some(({ state }) => state === 'failed') === true

function driftIsNotFought({ events }: Book, { rollout, traffic }: ServiceState, event: Event): string | null {
  if (event.kind !== 'routes-drifted' || event.held || event.cause !== 'edited') return null
  const isGoingBack =
    rollout?.phase.kind === 'returning' || (rollout?.phase.kind === 'running' && isWayBack(rollout.order))
  // Traffic on its way back, and a service that is closed, are never left to others.
  if (isGoingBack || traffic.closed !== null) return null
  let times = 1
  for (const { event: one } of events.toReversed()) {
    if (one.kind === 'drift-settled') break
    if (one.kind !== 'routes-drifted') continue
    if (!isSameEdit(one, event)) break
    times += 1
  }
  return times >= FIGHT_TIMES ? `the same foreign weights were answered ${times} times` : null
}

const isSameEdit = (a: EventOf<'routes-drifted'>, b: EventOf<'routes-drifted'>): boolean =>
  a.cause === b.cause &&
  Math.abs(a.at - b.at) <= FIGHT_WITHIN_MS &&
  [...new Set([...Object.keys(a.observed), ...Object.keys(b.observed)])].every(
    (release) => (a.observed[release] ?? 0) === (b.observed[release] ?? 0),
  )

/** More traffic, and the place of stable, only for as many ready instances as the settings ask for. */
function enoughAreReady(before: ServiceState, event: Event): string | null {
  const { rollout, traffic } = before
  if (rollout?.phase.kind !== 'running') return null
  const release = candidateOf(rollout)
  const grows =
    event.kind === 'weights-decided' && (event.weights[release] ?? 0) > (traffic.weights[release] ?? 0)
  if (!grows && event.kind !== 'stable-changed') return null
  const { run, strategy } = rollout.settings
  const until = leavesForRoom(before, rollout) ? rollout.stepIndex : rollout.stepIndex + 1
  const grown = rollout.plan.steps.slice(0, until).findLast(({ step }) => step.kind === 'provision')
  const replicas = grown?.step.kind === 'provision' ? grown.step.replicas : run.replicas
  const needed = Math.ceil((replicas * strategy.readyPercent) / 100)
  const ready = readyInstances(setOf(before, release)).length
  return ready >= needed ? null : `${event.kind} with ${ready} of ${needed} instances of ${release} ready`
}

/** The next batch has no room beside the last of stable, so the one before takes the share of that first. */
function leavesForRoom(state: ServiceState, rollout: RolloutState): boolean {
  const limits = limitsOf(state, rollout)
  const step = rollout.plan.steps[rollout.stepIndex]?.step
  const stable = stableSet(state)
  if (limits === null || step?.kind !== 'provision' || stable === undefined) return false
  return step.replicas >= limits.most && stable.replicas > 0
}

function stableIsNotGivenUp({ rollout, stable }: ServiceState, event: Event): string | null {
  if (event.kind !== 'return-started' || rollout === null) return null
  return stable?.release === candidateOf(rollout)
    ? `INV4: ${stable.release} is stable, and its rollout goes back`
    : null
}

function onlyServedIsCounted({ truth }: Book, { rollout }: ServiceState, event: Event): string | null {
  if (event.kind !== 'outcome-reached' || rollout === null || !truth.countersAreWhole) return null
  const { requests } = servedToUsers(rollout)
  const served = truth.served(candidateOf(rollout))
  return requests <= served
    ? null
    : `${requests} requests of ${candidateOf(rollout)} are counted, ${served} were served`
}
