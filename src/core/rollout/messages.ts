import { formatWeight } from '../shared/weight.ts'
import type { Event } from './event.ts'
import type { ServiceState } from './state.ts'

export type Announcement = {
  type: string
  severity: 'info' | 'warning' | 'error' | 'critical'
  summary: string
  data: Record<string, unknown>
}

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
  const say = (
    type: string,
    severity: Announcement['severity'],
    text: string,
    more: Record<string, unknown> = {},
  ): Announcement => ({
    type: `rollout.${type}`,
    severity,
    summary: `${service} ${to.version} in ${environment}: ${text}`,
    data: { ...about, ...more },
  })
  switch (event.kind) {
    case 'rollout-started':
      return say('started', 'info', `deploy began, by ${event.rollout.actor.name}`)
    case 'weights-decided': {
      const weight = event.weights[to.release] ?? 0
      return rollout.phase.kind === 'running'
        ? say('step_advanced', 'info', `${formatWeight(weight)} of traffic`, { weightPermille: weight })
        : null
    }
    case 'rollout-paused':
      return say('waiting', 'warning', `paused: ${event.reason.message}`, { reason: event.reason })
    case 'return-started':
      return event.outcome === 'superseded'
        ? null
        : say('rollback_started', 'error', event.reason.message, { reason: event.reason })
    case 'outcome-reached': {
      const loss = rollout.loss.unroutable + rollout.loss.cutOnDrain
      const facts = {
        reason: event.reason,
        outcome: event.outcome,
        trafficOffMs: event.trafficOffMs,
        requests: rollout.loss.requests,
        requestsLost: loss,
        exposedRequests: rollout.total.candidate.requests,
      }
      return say(event.outcome, severityOf(event.outcome), event.reason.message, facts)
    }
    default:
      return null
  }
}

function severityOf(outcome: string): Announcement['severity'] {
  if (outcome === 'promoted' || outcome === 'superseded') return 'info'
  return outcome === 'aborted' ? 'warning' : 'error'
}
