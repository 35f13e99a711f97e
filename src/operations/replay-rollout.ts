import * as z from 'zod'
import { Replay, replay } from '../core/rollout/replay/replay.ts'
import { ok } from '../core/shared/result.ts'
import { operationOf } from './context.ts'
import { recordedRollout } from './recorded-rollout.ts'
import { unhurried } from './unhurried.ts'

export const replayRollout = operationOf({
  name: 'replay_rollout',
  summary:
    'Judges all stored batches and metric windows of a rollout again, makes its decisions again, and compares, bit for bit, with what was decided and recorded.',
  input: z.strictObject({ id: z.string() }),
  output: Replay,
  permission: 'read',
  run: async (context, { id }) => {
    const found = await recordedRollout(context, id)
    if (found.kind === 'failed') return found
    const { view, state, events } = found.value
    const last = state.rollout?.id === id ? state.rollout : null
    const recorded = {
      rollout: id,
      stable: view.from,
      views: view.outcome === null ? [] : view.checks,
      states: last?.checks ?? null,
      metrics: last?.metrics ?? null,
      resources: last?.resources ?? null,
    }
    return ok(await unhurried(replay(events, recorded)))
  },
})
