import type { Event } from '../../core/rollout/event.ts'
import type { ServiceState } from '../../core/rollout/state.ts'
import type { PerformedEffect } from '../../ports/engine-observer.ts'
import type { Log } from '../../ports/log.ts'

type Decided = { state: ServiceState; revision: number; events: readonly Event[] }

/** They come with every look, so they are for whoever searches. */
const QUIET: ReadonlySet<Event['kind']> = new Set([
  'metrics-observed',
  'instances-observed',
  'busy-observed',
  'let-go-accepted',
  'set-asserted',
  'part-seen',
  'light-watch-counted',
])
/** Something is not as it should be. */
const LOUD: ReadonlySet<Event['kind']> = new Set([
  'return-started',
  'return-stalled',
  'failure-held',
  'release-blocked',
  'breaker-opened',
  'routes-drifted',
  'rollout-paused',
  'trouble-seen',
  'metrics-failed',
  'step-reopened',
  'light-watch-alarmed',
  'light-watch-blind',
])

/** One line for each event that was decided and appended: the journal in the log of the process. */
export function logDecisions(log: Log, stream: string, { state, revision, events }: Decided): void {
  events.forEach((event, index) => {
    const fields = {
      stream,
      rollout: rolloutOf(event) ?? state.rollout?.id ?? null,
      sequence: revision - events.length + index + 1,
      event: event.kind,
      ...tellingFields(event),
    }
    if (QUIET.has(event.kind)) log.debug('decided', fields)
    else if (LOUD.has(event.kind)) log.warn('decided', fields)
    else log.info('decided', fields)
  })
}

/** One line for each effect that failed; those that were done are for whoever searches. */
export function logEffect(log: Log, { stream, effect, attempt, tookMs, problem }: PerformedEffect): void {
  const fields = {
    stream,
    rollout: effect.token.rollout,
    effect: effect.kind,
    epoch: effect.token.epoch,
    sequence: effect.token.sequence,
    attempt,
    tookMs: Math.round(tookMs),
  }
  if (problem === null) log.debug('effect done', fields)
  else log.warn('effect failed', { ...fields, problem })
}

const rolloutOf = (event: Event): string | null => {
  if (event.kind === 'rollout-started' || event.kind === 'rollout-queued') return event.rollout.id
  return event.kind === 'queue-dropped' ? event.rollout : null
}

/** What says why and what, and nothing else: settings hold values that are nobody's business in a log. */
function tellingFields(event: Event): Record<string, unknown> {
  return {
    ...('reason' in event && event.reason !== undefined
      ? { code: event.reason.code, because: event.reason.message, actor: event.reason.actor.name }
      : {}),
    ...('problem' in event && event.problem !== null ? { problem: event.problem } : {}),
    ...('outcome' in event ? { outcome: event.outcome } : {}),
    ...('release' in event ? { release: event.release } : {}),
    ...('weights' in event ? { weights: event.weights } : {}),
    ...('index' in event ? { step: event.index } : {}),
    ...('part' in event ? { part: event.part } : {}),
    ...('cause' in event ? { cause: event.cause } : {}),
    ...('trafficOffMs' in event ? { trafficOffMs: event.trafficOffMs } : {}),
    ...('epoch' in event ? { epoch: event.epoch } : {}),
  }
}
