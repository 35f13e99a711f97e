import type { Event } from '../../core/rollout/event.ts'
import type { RolloutState, ServiceState } from '../../core/rollout/state.ts'
import type { Tally } from '../../telemetry/tally.ts'

/** `before` is the rollout that was there before these events, as far as this controller knows. */
type Decided = { state: ServiceState; events: readonly Event[]; before: RolloutState | null }

/** What the events of one decision add to the counters. One decision may end a rollout and begin the next one. */
export function countEvents(tally: Tally, stream: string, { state, events, before }: Decided): void {
  const begins = events.findLastIndex(({ kind }) => kind === 'rollout-started')
  events.forEach((event, index) => {
    tally.count('sluice_events_total', { event: event.kind })
    countEvent(tally, event, { stream, rollout: index < begins ? before : state.rollout })
  })
}

type Of = { stream: string; rollout: RolloutState | null }

function countEvent(tally: Tally, event: Event, { stream, rollout }: Of): void {
  switch (event.kind) {
    case 'outcome-reached': {
      const { outcome, at, trafficOffMs } = event
      tally.count('sluice_rollouts_total', { stream, outcome })
      if (trafficOffMs !== null) tally.observe('sluice_rollback_duration_seconds', {}, trafficOffMs / 1000)
      if (rollout !== null)
        tally.observe('sluice_rollout_duration_seconds', { outcome }, secondsBetween(rollout.startedAt, at))
      break
    }
    case 'queue-dropped':
      tally.count('sluice_rollouts_total', { stream, outcome: 'superseded' })
      break
    case 'step-finished': {
      const startedAt = rollout?.steps[event.index]?.startedAt ?? null
      const step = rollout?.plan.steps[event.index]?.step.kind
      if (startedAt !== null && step !== undefined && !event.skipped)
        tally.observe('sluice_step_duration_seconds', { step }, secondsBetween(startedAt, event.at))
      break
    }
    case 'routes-drifted':
      tally.count('sluice_drift_total', { stream, cause: event.cause })
  }
}

const secondsBetween = (from: number, to: number): number => Math.max(0, to - from) / 1000
