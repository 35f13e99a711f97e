import * as z from 'zod'
import type { Event } from '../core/rollout/event.ts'
import { rolloutView } from '../core/rollout/service-view.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import type { RolloutSummary } from '../core/rollout/view.ts'
import { RolloutView } from '../core/rollout/view.ts'
import type { StoredDocument } from '../ports/store.ts'

/** The last view of a rollout, written when it begins and when its outcome is reached. */
export const ROLLOUT_DOCUMENT = 'rollout'
/** Where the events of a rollout begin in its stream. */
export const ROLLOUT_SPAN_DOCUMENT = 'rollout-span'

export const RolloutRecord = z.object({ view: RolloutView })
export type RolloutRecord = z.infer<typeof RolloutRecord>

export const RolloutSpan = z.object({ firstSequence: z.int() })
export type RolloutSpan = z.infer<typeof RolloutSpan>

/** Records to write in the same transaction as these events. */
export function recordsFor(
  stream: string,
  revision: number,
  events: readonly Event[],
  states: readonly ServiceState[],
): StoredDocument[] {
  const records = new Map<string, StoredDocument>()
  const put = (document: StoredDocument): unknown => records.set(`${document.kind} ${document.id}`, document)
  events.forEach((event, index) => {
    const state = states[index]
    const rollout = state?.rollout ?? null
    if (state === undefined || rollout === null) return
    const { id, startedAt } = rollout
    const view = (): RolloutRecord => ({ view: rolloutView(state, rollout, event.at) })
    if (event.kind === 'rollout-started')
      put({
        kind: ROLLOUT_SPAN_DOCUMENT,
        id,
        stream,
        at: startedAt,
        body: { firstSequence: revision + index + 1 },
      })
    if (event.kind === 'rollout-started' || event.kind === 'outcome-reached')
      put({ kind: ROLLOUT_DOCUMENT, id, stream, at: startedAt, body: view() })
  })
  return [...records.values()]
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
