import * as z from 'zod'
import { rolloutView } from '../core/rollout/view/service-view.ts'
import { timelineEntry } from '../core/rollout/view/timeline.ts'
import { RolloutView, TimelineEntry } from '../core/rollout/view/view.ts'
import { ok } from '../core/shared/result.ts'
import { operationOf } from './context.ts'
import { loadRollout, rolloutEvents } from './rollout-events.ts'

export const getRollout = operationOf({
  name: 'get_rollout',
  summary: 'One rollout, running or long over, with its whole timeline.',
  input: z.strictObject({ id: z.string() }),
  output: z.object({ rollout: RolloutView, timeline: z.array(TimelineEntry) }),
  permission: 'read',
  run: async (context, { id }) => {
    const found = await loadRollout(context, id)
    if (found.kind === 'failed') return found
    const events = await rolloutEvents(context, found.value)
    if (events.kind === 'failed') return events
    const loaded = await context.engine.load(found.value.stream)
    if (loaded.kind === 'failed') return loaded
    const { state } = loaded.value
    const { view } = found.value.record
    const nameOf = (release: string): string =>
      release === view.to.release
        ? view.to.version
        : release === view.from?.release
          ? view.from.version
          : release
    const timeline = events.value.flatMap(
      ({ sequence, event }) => timelineEntry(sequence, event, nameOf) ?? [],
    )
    const live = state.rollout?.id === id ? rolloutView(state, state.rollout, context.clock.now()) : view
    return ok({ rollout: live, timeline })
  },
})
