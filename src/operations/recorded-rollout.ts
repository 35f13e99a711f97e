import type { Event } from '../core/rollout/event.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import type { RolloutView } from '../core/rollout/view/view.ts'
import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import type { OperationContext } from './context.ts'
import { loadRollout, rolloutEvents } from './rollout-events.ts'

/** All that is kept of a rollout: its last record, the state of its service, and its events up to that state. */
export type RecordedRollout = {
  view: RolloutView
  stream: string
  state: ServiceState
  events: readonly Event[]
}

export async function recordedRollout(
  context: OperationContext,
  id: string,
): Promise<Result<RecordedRollout>> {
  // The state first: what is appended in the meantime belongs to neither.
  const found = await loadRollout(context, id)
  if (found.kind === 'failed') return found
  const { stream, record } = found.value
  const loaded = await context.engine.load(stream)
  if (loaded.kind === 'failed') return loaded
  const { state, revision } = loaded.value
  const numbered = await rolloutEvents(context, found.value)
  if (numbered.kind === 'failed') return numbered
  const events = numbered.value.filter(({ sequence }) => sequence <= revision).map(({ event }) => event)
  return ok({ view: record.view, stream, state, events })
}
