import * as z from 'zod'
import type { Event } from '../core/rollout/event.ts'
import { evolve } from '../core/rollout/evolve.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { rolloutView } from '../core/rollout/view/service-view.ts'
import type { RolloutSummary } from '../core/rollout/view/view.ts'
import { RolloutView } from '../core/rollout/view/view.ts'
import type { StoredDocument } from '../ports/store.ts'

/** The last view of a rollout, written when it begins and when its outcome is reached. */
export const ROLLOUT_DOCUMENT = 'rollout'
/** Where the events of a rollout begin in its stream. */
export const ROLLOUT_SPAN_DOCUMENT = 'rollout-span'

export const RolloutRecord = z.object({ view: RolloutView })
export type RolloutRecord = z.infer<typeof RolloutRecord>

export const RolloutSpan = z.object({ firstSequence: z.int() })
export type RolloutSpan = z.infer<typeof RolloutSpan>

export type Decision = {
  stream: string
  /** Revision before the events. */
  revision: number
  before: ServiceState
  events: readonly Event[]
  /** The state after each event. */
  states: readonly ServiceState[]
}

/** Records to write in the same transaction as these events. */
export function recordsFor({ stream, revision, before, events, states }: Decision): StoredDocument[] {
  const records = new Map<string, StoredDocument>()
  const put = (document: StoredDocument): unknown => records.set(`${document.kind} ${document.id}`, document)
  events.forEach((event, index) => {
    const sequence = revision + index + 1
    const prior = index === 0 ? before : (states[index - 1] ?? before)
    const state = recordedState(event, prior, states[index] ?? prior)
    const rollout = state?.rollout ?? null
    if (state === null || rollout === null) return
    const { id, startedAt: at } = rollout
    if (event.kind !== 'outcome-reached')
      put({ kind: ROLLOUT_SPAN_DOCUMENT, id, stream, at, body: { firstSequence: sequence } })
    const body: RolloutRecord = { view: rolloutView(state, rollout, event.at) }
    put({ kind: ROLLOUT_DOCUMENT, id, stream, at, body })
  })
  return [...records.values()]
}

/** The state that holds the rollout an event is worth a record of, or `null`. */
function recordedState(event: Event, prior: ServiceState, after: ServiceState): ServiceState | null {
  switch (event.kind) {
    case 'rollout-started':
    case 'outcome-reached':
      return after
    case 'queue-dropped': {
      // It never began, but whoever asked for it must learn how it ended.
      const { queued } = prior
      if (queued === null) return null
      const { at, reason } = event
      const begun = evolve(prior, { kind: 'rollout-started', at: queued.at, rollout: queued })
      return evolve(begun, { kind: 'outcome-reached', at, outcome: 'superseded', reason, trafficOffMs: null })
    }
    default:
      return null
  }
}

export function summaryOf({ view }: RolloutRecord): RolloutSummary {
  const { id, stream, from, to, outcome, reason, actor, startedAt, endedAt, loss } = view
  return {
    id,
    stream,
    from,
    to: { release: to.release, version: to.version },
    outcome,
    reason: reason.message,
    actor,
    startedAt,
    endedAt,
    requestsLost: loss.requestsLost + loss.probesLost,
  }
}
