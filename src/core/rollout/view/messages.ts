import { routerTitle } from '../../plan/router/router-fit.ts'
import { formatWeight } from '../../shared/weight.ts'
import type { Event, EventOf } from '../event.ts'
import { wayBackFrom } from '../light-watch/light-watch-back.ts'
import { servedToUsers } from '../shadow/count-shadow.ts'
import type { ServiceState } from '../state.ts'
import { requestsLost } from './loss.ts'

export type Announcement = {
  type: string
  severity: 'info' | 'warning' | 'error' | 'critical'
  summary: string
  data: Record<string, unknown>
}

type Say = (
  type: string,
  severity: Announcement['severity'],
  text: string,
  more?: Record<string, unknown>,
) => Announcement

/** What outsiders are told about an event, or `null`. `state` is the one after the event. */
export function announcementOf(event: Event, state: ServiceState): Announcement | null {
  const { rollout } = state
  if (rollout === null) return null
  const { service, environment, to, from } = rollout.plan
  const about = {
    rollout: rollout.id,
    service,
    environment,
    from: from?.version ?? null,
    to: to.version,
    release: to.release,
  }
  const say: Say = (type, severity, text, more = {}) => ({
    type: `rollout.${type}`,
    severity,
    summary: `${service} ${to.version} in ${environment}: ${text}`,
    data: { ...about, ...more },
  })
  switch (event.kind) {
    case 'rollout-started':
      return say('started', 'info', `deploy began, by ${event.rollout.actor.name}`)
    case 'weights-decided': {
      if (event.closed !== undefined)
        return say('closed', 'warning', event.reason.message, { retryAfterS: event.closed.retryAfterS })
      const weight = event.weights[to.release] ?? 0
      return rollout.phase.kind === 'running'
        ? say('step_advanced', 'info', `${formatWeight(weight)} of traffic`, { weightPermille: weight })
        : null
    }
    case 'rollout-paused':
      return say('waiting', 'warning', `paused: ${event.reason.message}`, { reason: event.reason })
    case 'routes-drifted':
      return event.held
        ? say('waiting', 'warning', driftHeldText(event), { observed: event.observed, times: event.times })
        : null
    case 'freeze-began':
      return rollout.phase.kind === 'running'
        ? say('waiting', 'warning', event.reason.message, { reason: event.reason })
        : null
    case 'return-started':
      return event.outcome === 'superseded'
        ? null
        : say('rollback_started', 'error', event.reason.message, { reason: event.reason })
    case 'return-stalled':
    case 'failure-held':
    case 'breaker-opened':
    case 'breaker-closed':
      return sayFailure(event, say)
    case 'light-watch-alarmed':
      return sayLightAlarm(event, state, say)
    case 'outcome-reached': {
      const facts = {
        reason: event.reason,
        outcome: event.outcome,
        trafficOffMs: event.trafficOffMs,
        requests: rollout.loss.requests,
        requestsLost: requestsLost(rollout),
        exposedRequests: servedToUsers(rollout).requests,
      }
      return say(event.outcome, severityOf(event.outcome), event.reason.message, facts)
    }
    default:
      return null
  }
}

function sayLightAlarm(
  { reason }: EventOf<'light-watch-alarmed'>,
  state: ServiceState,
  say: Say,
): Announcement {
  const todo = state.lightWatch === null ? '' : wayBackFrom(state, state.lightWatch)
  return say('light_watch_alarm', 'critical', `since promotion: ${reason.message}. ${todo}`, { reason })
}

type FailureEvent = EventOf<'return-stalled' | 'failure-held' | 'breaker-opened' | 'breaker-closed'>

/** What somebody should come and look at. */
function sayFailure(event: FailureEvent, say: Say): Announcement {
  switch (event.kind) {
    case 'return-stalled': {
      const { problem } = event
      return say('rollback_stuck', 'critical', `traffic cannot go back to stable: ${problem.message}`, {
        problem,
      })
    }
    case 'failure-held': {
      const { reason } = event
      return say('failure_held', 'critical', `failed and keeps its share, as configured: ${reason.message}`, {
        reason,
      })
    }
    case 'breaker-opened':
      return say('breaker_opened', 'critical', event.reason.message, { rollbacks: event.rollbacks })
    case 'breaker-closed':
      return say('breaker_closed', 'info', event.reason.message, { reason: event.reason })
  }
}

function driftHeldText({ times, router }: EventOf<'routes-drifted'>): string {
  const where = router === undefined ? '' : ` on ${routerTitle(router)}`
  return times > 1
    ? `somebody else sets the routes${where} again and again (${times} times); they are left alone until a person resumes or aborts`
    : `the routes were changed from outside${where}; they are left alone until a person resumes or aborts`
}

function severityOf(outcome: string): Announcement['severity'] {
  if (outcome === 'promoted' || outcome === 'superseded') return 'info'
  return outcome === 'aborted' ? 'warning' : 'error'
}
