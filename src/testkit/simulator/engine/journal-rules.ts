import { isWorker } from '../../../core/release/worker.ts'
import type { Event } from '../../../core/rollout/event.ts'
import type { Reason } from '../../../core/rollout/reason.ts'
import { servingRouters, toldTo } from '../../../core/rollout/router-in.ts'
import { readyInstances } from '../../../core/rollout/routing.ts'
import type { RolloutState, ServiceState } from '../../../core/rollout/state.ts'
import type { RouterName } from '../../../core/shared/router-ability.ts'
import type { Book } from './book.ts'
import { START_OF_TIME_MS } from './life.ts'

type Step = { book: Book; before: ServiceState; event: Event; after: ServiceState; now: number }
/** Names what is broken by this event, or answers `null`. */
export type JournalRule = (step: Step) => string | null

/** Numbers that are older than one interval and this do not carry a decision; a few calls fit in it. */
const NUMBERS_MARGIN_MS = 3100
/** With clocks that are set forward and back, and late calls. */
const WRONG_CLOCK_MARGIN_MS = 9000

/** Beyond the invariants that the core alone is held to: what follows from the whole history and from the world. */
export const JOURNAL_RULES: readonly JournalRule[] = [
  ({ book, before, event }) => returnIsNotOvertaken(book, before, event),
  ({ before, event }) => pausedStandsStill(before, event),
  ({ before, event }) => stepsInOrder(before, event),
  ({ before, event }) => trafficIsConfirmed(before, event),
  ({ before, event }) => endIsConfirmed(before, event),
  ({ before, event }) => timeIsServed(before, event),
  (step) => numbersWereSeen(step),
  ({ book, before, event }) => confirmationWasRead(book, before, event),
  ({ book, before, event }) => holdIsKept(book, before, event),
  ({ before, event }) => firstGoesNowhere(before, event),
  ({ book, event }) => newestWins(book, event),
  ({ book, before, event }) => badIsNotPromoted(book, before, event),
  ({ book, before, event }) => goodIsNotCondemned(book, before, event),
  ({ before, event }) => nothingIsSkipped(before, event),
  ({ before, event }) => epochGrows(before, event),
]

const candidateOf = (rollout: RolloutState): string => rollout.plan.to.release

function returnIsNotOvertaken(book: Book, { rollout, traffic }: ServiceState, event: Event): string | null {
  if (rollout === null) return null
  if (
    event.kind === 'outcome-reached' &&
    event.outcome === 'promoted' &&
    book.facts.get(rollout.id)?.wasAborted === true
  )
    return `${rollout.id} was promoted after its abort was accepted`
  if (rollout.phase.kind !== 'returning') return null
  const release = candidateOf(rollout)
  switch (event.kind) {
    case 'stable-changed':
    case 'step-started':
    case 'step-finished':
    case 'rollout-resumed':
    case 'full-promotion-asked':
      return `the return of ${rollout.id} was overtaken by ${event.kind}`
    case 'outcome-reached':
      return event.outcome === rollout.phase.outcome
        ? null
        : `the return of ${rollout.id} ended as ${event.outcome}`
    case 'weights-decided':
      return (event.weights[release] ?? 0) > (traffic.weights[release] ?? 0)
        ? `${release} got more traffic on its way back`
        : null
    default:
      return null
  }
}

function pausedStandsStill({ rollout }: ServiceState, event: Event): string | null {
  if (rollout?.phase.kind !== 'running' || rollout.phase.paused === null) return null
  const moves = ['step-started', 'step-finished', 'stable-changed', 'weights-decided']
  return moves.includes(event.kind) ? `${rollout.id} is paused and goes on: ${event.kind}` : null
}

function stepsInOrder({ rollout }: ServiceState, event: Event): string | null {
  if (rollout === null || (event.kind !== 'step-started' && event.kind !== 'step-finished')) return null
  if (event.index !== rollout.stepIndex)
    return `${event.kind} ${event.index} of ${rollout.id}, which is at ${rollout.stepIndex}`
  const state = rollout.steps[event.index]?.state
  return event.kind === 'step-finished' && state !== 'active' ? `a step that is ${state} was finished` : null
}

function trafficIsConfirmed({ rollout, traffic, epoch }: ServiceState, event: Event): string | null {
  const done = finished(rollout, event)
  if (done?.step.kind !== 'traffic' || isWorker(done.rollout.settings)) return null
  const { confirmed, sequence } = traffic
  const share = confirmed?.weights[candidateOf(done.rollout)] ?? 0
  const isConfirmed = confirmed?.sequence === sequence && confirmed.epoch === epoch
  return isConfirmed && share === done.step.weightPermille
    ? null
    : `INV3: the step to ${done.step.weightPermille} was finished at ${isConfirmed ? share : 'unconfirmed'}`
}

/** Who is stable, and that traffic is back, is said once the router confirmed it. */
function endIsConfirmed({ rollout, stable, traffic, epoch }: ServiceState, event: Event): string | null {
  const { confirmed, sequence } = traffic
  const isConfirmed = sequence === 0 || (confirmed?.sequence === sequence && confirmed.epoch === epoch)
  if (event.kind === 'stable-changed') {
    const share = confirmed?.weights[event.release] ?? 0
    // There is nobody to confirm the share of a worker.
    if (rollout !== null && isWorker(rollout.settings)) return null
    return isConfirmed && share === 1000
      ? null
      : `INV3: ${event.release} became stable with ${share} per mille`
  }
  const isBack = event.kind === 'outcome-reached' && rollout?.phase.kind === 'returning' && stable !== null
  return isBack && !isConfirmed ? 'the outcome of a return came before its traffic was confirmed' : null
}

/** A step lasts as long as the plan says, by the clock of whoever decides. */
function timeIsServed({ rollout }: ServiceState, event: Event): string | null {
  const done = finished(rollout, event)
  if (done === null) return null
  if (done.step.kind !== 'gate' && done.step.kind !== 'observe' && done.step.kind !== 'watch') return null
  if (done.step.durationMs === null) return `a stage that waits for a person ended by itself`
  const took = event.at - (done.startedAt ?? event.at)
  return took >= done.step.durationMs ? null : `a step of ${done.step.durationMs} ms ended after ${took} ms`
}

/** No data is never a pass: whoever ends a stage or the watch was told numbers not long before. */
function numbersWereSeen({ book, before, event, now }: Step): string | null {
  const done = finished(before.rollout, event)
  if (done === null || (done.step.kind !== 'observe' && done.step.kind !== 'watch')) return null
  if (isWorker(done.rollout.settings)) return null
  const { clocksAreRight } = book.truth
  const measuredAt = servingRouters(before.traffic).map(
    (router) => book.measuredAt.get(router) ?? Number.NEGATIVE_INFINITY,
  )
  const ageMs = (clocksAreRight ? event.at - START_OF_TIME_MS : now) - Math.min(...measuredAt)
  const marginMs = clocksAreRight ? NUMBERS_MARGIN_MS : WRONG_CLOCK_MARGIN_MS
  const limitMs = done.rollout.settings.analysis.intervalMs + marginMs
  if (ageMs > limitMs) return `the ${done.step.kind} ended ${ageMs} ms after the last numbers`
  if (done.step.kind === 'watch') return null
  const needed = Object.keys(done.step.criteria).length > 0 ? done.rollout.settings.analysis.minRequests : 1
  const { requests } = done.rollout.atStep.candidate
  return requests >= needed ? null : `the stage ended after ${requests} of ${needed} requests`
}

/** `routes-confirmed` is what every router that serves answered to somebody, not what was hoped. */
function confirmationWasRead(book: Book, { traffic }: ServiceState, event: Event): string | null {
  if (event.kind !== 'routes-confirmed') return null
  const { epoch, weights } = event
  const silent = servingRouters(traffic).find(
    (router) =>
      !book.routerAnswers.has(answerKey(router, { epoch, sequence: toldTo(traffic, router) }, weights)),
  )
  return silent === undefined
    ? null
    : `INV7: routes ${epoch}.${event.sequence} were confirmed, and ${silent} never said so`
}

export const answerKey = (
  router: RouterName,
  { epoch, sequence }: { epoch: number; sequence: number },
  weights: Record<string, number>,
): string => `${router} ${epoch}.${sequence} ${JSON.stringify(Object.entries(weights).sort())}`

function holdIsKept(book: Book, { rollout, sets }: ServiceState, event: Event): string | null {
  if (event.kind === 'set-held')
    book.heldUntil.set(event.release, event.until === null ? Number.POSITIVE_INFINITY : event.until)
  if (event.kind === 'set-kept') book.heldUntil.set(event.release, event.until)
  if (event.kind !== 'set-retiring' || event.reason !== undefined) return null
  const set = sets.find(({ release }) => release === event.release)
  if (set?.role !== 'held' && (set?.role !== 'warm' || set.releaseAt === null)) return null
  const until = book.heldUntil.get(event.release) ?? 0
  const isTakenAgain = rollout !== null && rollout.phase.kind === 'running'
  return isTakenAgain || event.at >= until ? null : `${event.release} was let go ${until - event.at} ms early`
}

function firstGoesNowhere({ stable }: ServiceState, event: Event): string | null {
  const isBack = event.kind === 'outcome-reached' && event.outcome === 'rolled_back'
  return isBack && stable === null ? 'the first release was rolled back to nothing' : null
}

/** Rollouts begin in the order in which they were accepted; an older one never comes after a newer. */
function newestWins({ accepted }: Book, event: Event): string | null {
  if (event.kind === 'queue-dropped') {
    const { by } = event.reason.evidence
    const isOlder = typeof by === 'string' && placeOf(accepted, by) < placeOf(accepted, event.rollout)
    return isOlder ? `${event.rollout} was dropped for the older ${by}` : null
  }
  if (event.kind !== 'rollout-queued' && event.kind !== 'rollout-started') return null
  const { id } = event.rollout
  if (!accepted.includes(id)) accepted.push(id)
  return event.kind === 'rollout-started' && accepted.at(-1) !== id
    ? `${id} began after a newer one was accepted`
    : null
}

/** What is not accepted yet comes after everything that is. */
const placeOf = (accepted: readonly string[], id: string): number =>
  accepted.includes(id) ? accepted.indexOf(id) : accepted.length

/** A candidate that fails most requests, beside a stable that does not, is found out; only a person can push it through. */
function badIsNotPromoted(
  { facts, truth }: Book,
  { rollout, stable }: ServiceState,
  event: Event,
): string | null {
  if (event.kind !== 'stable-changed' || rollout === null || rollout.plan.kind !== 'deploy') return null
  if (!truth.numbersAreTrue || !truth.numbersAreComplete || stable === null || truth.isBad(stable.release))
    return null
  const isPushed = rollout.fullPromotion || rollout.steps.some(({ state }) => state === 'skipped')
  if ((rollout.settings.analysis.dryRun ?? []).length > 0 || isWorker(rollout.settings)) return null
  const isBad = facts.get(rollout.id)?.isBad === true
  return isBad && !isPushed ? `${event.release} fails most requests and became stable` : null
}

/** A candidate whose every request is answered well is not condemned for its answers; and without faults, for nothing. */
function goodIsNotCondemned({ truth }: Book, state: ServiceState, event: Event): string | null {
  const { rollout } = state
  if (event.kind !== 'return-started' || rollout === null || truth.isBad(candidateOf(rollout))) return null
  // What a check says has nothing to do with its answers.
  if (event.reason.code === 'VERIFY_FAILED') return null
  const { check } = event.reason.evidence
  if (isUnexcused(state, event.reason)) return null
  // Of declared metrics there are rules of their own.
  const isDeclared = rollout.settings.analysis.metrics.some(({ name }) => name === check)
  if (event.reason.code === 'CHECK_CRITICAL' && truth.numbersAreTrue && !isDeclared)
    return `${candidateOf(rollout)} answers well and is condemned: ${event.reason.message}`
  const isByEngine = event.reason.actor.kind === 'engine'
  return truth.isCalm && isByEngine && !truth.isHarmful(candidateOf(rollout))
    ? `${candidateOf(rollout)} is well, nothing is wrong, and it goes back`
    : null
}

/** A named check fails, and nothing of stable serves that could show that it is not the candidate's fault. */
function isUnexcused({ rollout, sets }: ServiceState, { evidence }: Reason): boolean {
  if (typeof evidence.check !== 'string' || !evidence.check.startsWith('health check ')) return false
  const stable = sets.find(({ release }) => release === rollout?.plan.from?.release)
  return stable === undefined || readyInstances(stable).length === 0
}

/** Reasons of a person who ends a step. */
const BY_HAND = ['PROMOTED_BY_HAND', 'WATCH_ENDED', 'JUMPED']

/** Only a person skips a step. */
function nothingIsSkipped({ rollout }: ServiceState, event: Event): string | null {
  if (event.kind === 'step-finished' && event.skipped)
    return rollout?.fullPromotion === true || BY_HAND.includes(event.reason.code)
      ? null
      : `step ${event.index} was skipped by nobody`
  if (event.kind !== 'stable-changed' || rollout === null) return null
  const missing = rollout.steps
    .slice(0, rollout.stepIndex)
    .findIndex(({ state }) => state !== 'done' && state !== 'skipped')
  if (missing >= 0) return `${event.release} became stable without step ${missing}`
  const kind = rollout.plan.steps[rollout.stepIndex]?.step.kind
  return kind === 'promote' ? null : `${event.release} became stable in step ${kind}`
}

function epochGrows({ epoch }: ServiceState, event: Event): string | null {
  return event.kind === 'controller-started' && event.epoch <= epoch
    ? `INV10: epoch ${event.epoch} began after ${epoch}`
    : null
}

/** The step that this event ends by itself, not by hand. */
function finished(rollout: RolloutState | null, event: Event) {
  if (rollout === null || event.kind !== 'step-finished' || event.skipped) return null
  const step = rollout.plan.steps[event.index]?.step
  return step === undefined
    ? null
    : { rollout, step, startedAt: rollout.steps[event.index]?.startedAt ?? null }
}
