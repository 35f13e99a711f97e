import { routerTitle } from '../../plan/router/router-fit.ts'
import { formatDuration } from '../../shared/duration.ts'
import { hasPassed, reportText, type VerifyReport } from '../../shared/verification.ts'
import { formatWeight } from '../../shared/weight.ts'
import { measuredBudget } from '../../strategy/rollback-budget.ts'
import { type ChecklistItem, checklistText } from '../checklist.ts'
import type { Event, EventOf } from '../event.ts'
import { ALERTMANAGER, alertText } from '../judging/alerts.ts'
import { newErrorsText } from '../judging/new-errors.ts'
import { isLightEvent, type LightEvent } from '../light-watch/evolve-light-watch.ts'
import { metricTurnText } from '../metrics/metric-turn.ts'
import type { Reason } from '../reason.ts'
import { isWayBack } from '../refusal.ts'
import type { Adoption } from '../state.ts'
import { isUntold } from '../untold.ts'
import type { TimelineEntry } from './view.ts'

type Line = Pick<TimelineEntry, 'text' | 'level'> & { actor?: string }

/** One event as a line for people, or `null` when it is of no interest to them. `nameOf` turns a release into its version. */
export function timelineEntry(
  sequence: number,
  event: Event,
  nameOf: (release: string) => string,
): TimelineEntry | null {
  const line = isSilent(event) ? null : isLightEvent(event) ? lightLine(event) : lineOf(event, nameOf)
  return line === null
    ? null
    : {
        sequence,
        at: event.at,
        kind: event.kind,
        actor: line.actor ?? 'sluice',
        text: line.text,
        level: line.level,
      }
}

const info = (text: string): Line => ({ text, level: 'info' })
const because = (reason: Reason, level: Line['level'], text = reason.message): Line => ({
  text,
  level,
  actor: reason.actor.name,
})

const STALLED = 'traffic cannot go back to stable yet, and it is tried again and again'

/** Of no interest to people: what they mean shows in other lines. */
export const SILENT = [
  'controller-started',
  'step-started',
  'part-seen',
  'let-go-accepted',
  'set-asserted',
  'instances-dismissed',
  'instances-observed',
  'routes-decided',
  'routes-confirmed',
  'router-left',
  'metrics-observed',
  'variants-counted',
  'errors-known',
  'named-checks-seen',
  'variants-counted',
  'light-watch-counted',
  'service-finalized',
] as const satisfies Event['kind'][]
type Silent = EventOf<(typeof SILENT)[number]>

const isSilent = (event: Event): event is Silent => SILENT.some((kind) => kind === event.kind)

function lineOf(
  event: Exclude<Event, Silent | LightEvent>,
  nameOf: (release: string) => string,
): Line | null {
  if (isAboutSet(event)) return setLine(event, nameOf)
  switch (event.kind) {
    case 'rollout-started':
      return beginLine(event)
    case 'rollout-queued':
      return {
        ...info(`${event.rollout.plan.to.version} ${turnText(event.rollout.notBefore)}`),
        actor: event.rollout.actor.name,
      }
    case 'queue-dropped':
      return because(event.reason, 'info', `a waiting release was dropped: ${event.reason.message}`)
    case 'step-finished':
      return event.skipped ? because(event.reason, 'info') : info(event.reason.message)
    case 'weights-decided':
      return event.closed === undefined
        ? info(`shares decided: ${shares(event.weights, nameOf)}`)
        : { text: `closed: ${event.reason.message}`, level: 'warning' }
    case 'routes-shown':
      return shownLine(event, nameOf)
    case 'routes-drifted':
      return { text: driftText(event, nameOf), level: 'warning' }
    case 'step-reopened':
    case 'drift-settled':
    case 'freeze-began':
    case 'freeze-ended':
    case 'rollout-resumed':
    case 'full-promotion-asked':
    case 'jump-asked':
    case 'control-released':
      return saidLine(event)
    case 'busy-observed':
    case 'former-router-seen':
    case 'errors-said':
    case 'alert-heard':
    case 'alert-over':
    case 'metric-sampled':
    case 'metrics-failed':
    case 'trouble-seen':
    case 'trouble-over':
    case 'verified':
      return seenLine(event)
    case 'rollout-paused':
      return because(
        event.reason,
        'warning',
        event.checks.length === 0 ? event.reason.message : `paused: ${event.reason.message}`,
      )
    case 'return-started':
      return because(event.reason, 'bad', `going back: ${event.reason.message}`)
    case 'failure-held':
    case 'release-blocked':
    case 'release-unblocked':
    case 'breaker-opened':
    case 'breaker-closed':
    case 'return-stalled':
      return failureLine(event)
    case 'stable-changed':
      return { text: `${event.version} is stable${checklistNote(event.checklist)}`, level: 'good' }
    case 'outcome-reached':
      return because(event.reason, event.outcome === 'promoted' ? 'good' : 'bad', outcomeText(event))
  }
}

type SaidEvent = EventOf<
  | 'step-reopened'
  | 'drift-settled'
  | 'freeze-began'
  | 'freeze-ended'
  | 'rollout-resumed'
  | 'full-promotion-asked'
  | 'jump-asked'
  | 'control-released'
>

/** What somebody said, in their words. */
function saidLine(event: SaidEvent): Line {
  if (event.kind === 'drift-settled') return because(event.reason, 'info', 'the routes are ours again')
  const isHold = event.kind === 'freeze-began' || event.kind === 'step-reopened'
  return because(event.reason, isHold ? 'warning' : 'info')
}

type SeenEvent = EventOf<
  | 'busy-observed'
  | 'former-router-seen'
  | 'errors-said'
  | 'alert-heard'
  | 'alert-over'
  | 'metric-sampled'
  | 'metrics-failed'
  | 'trouble-seen'
  | 'trouble-over'
  | 'verified'
>

/** What was seen or heard, of which nothing need follow. */
function seenLine(event: SeenEvent): Line | null {
  switch (event.kind) {
    case 'verified':
      return verifiedLine(event.report)
    case 'busy-observed':
    case 'former-router-seen':
      return event.cut.length === 0 ? null : { text: cutText(event.cut), level: 'warning' }
    case 'errors-said': {
      const text = newErrorsText(event)
      return text === null ? null : { text, level: 'warning' }
    }
    case 'alert-heard':
    case 'alert-over':
      return {
        text: alertText(event),
        level: event.kind === 'alert-heard' ? 'warning' : 'info',
        actor: ALERTMANAGER.name,
      }
    case 'metric-sampled': {
      const text = metricTurnText(event)
      return text === null ? null : { text, level: event.turned === 'healed' ? 'info' : 'warning' }
    }
    case 'metrics-failed':
      return { text: `no numbers: ${event.problem.message}`, level: 'warning' }
    case 'trouble-seen':
      return { text: event.problem.message, level: 'warning' }
    case 'trouble-over':
      // The key of an effect says nothing to people; that it went on shows in the lines that follow.
      return event.part.startsWith('effect ') || isUntold(event.part)
        ? null
        : info(`the ${event.part} works again`)
  }
}

function beginLine({ rollout: { order, plan, note: said, actor } }: EventOf<'rollout-started'>): Line {
  const what = isWayBack(order) ? 'rollback to' : order === 'retry' ? 'another attempt of' : 'deploy of'
  return { ...info(`${what} ${plan.to.version} began${note(said)}`), actor: actor.name }
}

type FailureEvent = EventOf<
  | 'failure-held'
  | 'release-blocked'
  | 'release-unblocked'
  | 'breaker-opened'
  | 'breaker-closed'
  | 'return-stalled'
>

function failureLine(event: FailureEvent): Line {
  switch (event.kind) {
    case 'failure-held':
      return because(
        event.reason,
        'bad',
        `it failed and stays where it is, as configured: ${event.reason.message}`,
      )
    case 'release-blocked': {
      const { version, reason, rollout } = event.block
      const why = rollout === null ? reason.message : 'it failed'
      return because(reason, 'warning', `${version} is blocked until somebody lifts it: ${why}`)
    }
    case 'breaker-opened':
      return because(
        event.reason,
        'bad',
        `${event.reason.message}; nothing new is deployed until it is closed`,
      )
    case 'release-unblocked':
    case 'breaker-closed':
      return because(event.reason, 'info')
    case 'return-stalled':
      return { text: `${STALLED}: ${event.problem.message}`, level: 'bad' }
  }
}

/** That it passed is said by its step. */
const verifiedLine = (report: VerifyReport): Line | null =>
  hasPassed(report) ? null : { text: `verification failed: ${reportText(report)}`, level: 'bad' }

const ABOUT_SETS = [
  'set-wanted',
  'set-shrunk',
  'set-held',
  'set-kept',
  'set-retiring',
  'set-stopping',
  'set-gone',
] as const satisfies Event['kind'][]
type SetEvent = EventOf<(typeof ABOUT_SETS)[number]>

const isAboutSet = (event: Event): event is SetEvent => ABOUT_SETS.some((kind) => kind === event.kind)

function takeOverText({ container, port }: Adoption, version: string): string {
  const what = container === undefined ? 'the process' : `container ${container}`
  return `taking over ${what} on port ${port} as ${version}`
}

function setLine(event: SetEvent, nameOf: (release: string) => string): Line | null {
  switch (event.kind) {
    case 'set-wanted':
      return info(event.adoption === null ? startText(event) : takeOverText(event.adoption, event.version))
    case 'set-shrunk':
      return info(`${event.leaving.length} of ${nameOf(event.release)} leave, ${event.replicas} stay`)
    case 'set-retiring':
      return event.reason === undefined ? null : because(event.reason, 'info')
    case 'set-held':
      return info(`${nameOf(event.release)} stays without traffic for inspection${holdText(event)}`)
    // The step that keeps it says so.
    case 'set-kept':
      return null
    case 'set-stopping':
      return info(`stopping the instances of ${nameOf(event.release)}`)
    case 'set-gone':
      return info(`the instances of ${nameOf(event.release)} are gone`)
  }
}

const startText = ({ replicas, version }: EventOf<'set-wanted'>): string =>
  replicas === 0 ? `no instance of ${version} is wanted any more` : `starting ${replicas} of ${version}`

const holdText = ({ until, at }: EventOf<'set-held'>): string =>
  until === null ? ' until "sluice release discard"' : ` for ${formatDuration(Math.max(0, until - at))}`

const checklistNote = (items: readonly ChecklistItem[]): string =>
  items.length === 0 ? '' : `; checklist: ${checklistText(items)}`

function lightLine(event: Exclude<LightEvent, Silent>): Line {
  switch (event.kind) {
    case 'light-watch-began': {
      const { version, settings } = event.watch
      const then = settings.onFinding === 'rollback' ? '; what is found goes back by itself' : ''
      return info(`${version} is watched lightly for ${formatDuration(settings.forMs)} more${then}`)
    }
    case 'light-watch-blind': {
      const why = event.problem === null ? '' : `: ${event.problem.message}`
      return { text: `the light watch has no numbers${why}`, level: 'warning' }
    }
    case 'light-watch-alarmed':
      return because(event.reason, 'bad', `since promotion: ${event.reason.message}`)
    case 'light-watch-ended':
      return because(event.reason, 'info')
  }
}

const note = (text: string): string => (text === '' ? '' : `: ${text}`)

function cutText(cut: EventOf<'busy-observed'>['cut']): string {
  const first = cut
    .slice(0, 3)
    .map(({ kind, route, ageMs }) => `${kind} ${route} after ${formatDuration(ageMs)}`)
  return `the drain limit cut ${cut.length} requests or connections: ${first.join(', ')}`
}

const shares = (weights: Record<string, number>, nameOf: (release: string) => string): string =>
  Object.entries(weights)
    .filter(([, weight]) => weight > 0)
    .map(([release, weight]) => `${nameOf(release)} ${formatWeight(weight)}`)
    .join(', ') || 'none'

const turnText = (notBefore: number | null): string =>
  notBefore === null
    ? 'waits for its turn'
    : `is to begin at ${new Date(notBefore).toISOString().slice(0, 16).replace('T', ' ')} UTC`

/** Of several routers some have the decided shares and some have not. */
function shownLine({ shown }: EventOf<'routes-shown'>, nameOf: (release: string) => string): Line | null {
  const took = shown.filter((one) => one.took).map(({ router }) => routerTitle(router))
  const behind = shown
    .filter((one) => !one.took)
    .map(({ router, weights }) => `${routerTitle(router)} shows ${shares(weights, nameOf)}`)
  if (took.length === 0 || behind.length === 0) return null
  const have = `${took.join(' and ')} ${took.length === 1 ? 'has' : 'have'} the decided shares`
  return info(`${have}, ${behind.join(' and ')}`)
}

function driftText(
  { cause, held, times, observed, router }: EventOf<'routes-drifted'>,
  nameOf: (release: string) => string,
): string {
  const where = router === undefined ? '' : ` on ${routerTitle(router)}`
  if (held) {
    const again = times > 1 ? ` for the ${times}th time` : ''
    return `the routes were changed from outside${where}${again} (${shares(observed, nameOf)}); they are left alone until "sluice resume" or "sluice abort"`
  }
  const who = router === undefined ? null : routerTitle(router)
  if (cause === 'reverted')
    return `${who ?? 'the data plane'} had returned traffic to stable by itself; the routes are set again`
  return cause === 'lost'
    ? `${who ?? 'the router'} did not know the service any more; the routes are set again`
    : `the routes were changed from outside${where}; they are set again`
}

function outcomeText({ outcome, reason, trafficOffMs, strategy }: EventOf<'outcome-reached'>): string {
  const off = trafficOffMs === null ? '' : `; ${measuredBudget(trafficOffMs, strategy ?? 'canary').text}`
  return `${outcome.replace('_', ' ')}: ${reason.message}${off}`
}
