import * as z from 'zod'
import { AbView } from '../core/rollout/ab/ab-result-view.ts'
import { RolloutEvidence, rolloutEvidence } from '../core/rollout/replay/rollout-evidence.ts'
import { trailOf } from '../core/rollout/replay/trail.ts'
import { ShadowView } from '../core/rollout/shadow/shadow-result-view.ts'
import { rolloutView } from '../core/rollout/view/service-view.ts'
import { ok } from '../core/shared/result.ts'
import { operationOf } from './context.ts'
import { recordedRollout } from './recorded-rollout.ts'
import { unhurried } from './unhurried.ts'

export const explainRollout = operationOf({
  name: 'explain_rollout',
  summary:
    'Why a rollout was judged as it was: of each check the evidence after every batch, the threshold, counts, lower bounds, what would have passed and what is still needed.',
  input: z.strictObject({ id: z.string() }),
  /** Without batches there is nothing to explain. */
  output: z.object({
    evidence: RolloutEvidence.nullable(),
    ab: AbView.exactOptional(),
    shadow: ShadowView.exactOptional(),
  }),
  permission: 'read',
  run: async (context, { id }) => {
    const found = await recordedRollout(context, id)
    if (found.kind === 'failed') return found
    const { view, stream, state, events } = found.value
    const trail = await unhurried(trailOf(view.from, events))
    if (trail === null || trail.looks.length + trail.metrics.size === 0) return ok({ evidence: null })
    const live = state.rollout?.id === id ? rolloutView(state, state.rollout, context.clock.now()) : view
    const ab = live.ab === undefined ? {} : { ab: live.ab }
    return ok({
      ...ab,
      ...(live.shadow === undefined ? {} : { shadow: live.shadow }),
      evidence: await unhurried(rolloutEvidence(trail, { stream, sentence: live.sentence }), 1),
    })
  },
})
