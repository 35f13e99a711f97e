import * as z from 'zod'
import type { Plan } from '../core/plan/plan.ts'
import type { ServiceSettings } from '../core/release/settings.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { ServiceView } from '../core/rollout/view.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { OperationContext } from './context.ts'
import { operationOf } from './context.ts'
import { loadPlan, makePlan } from './make-plan.ts'
import { prepareRelease } from './prepare-release.ts'
import { actorOf, loadService, ReasonInput, ServiceInput } from './service-input.ts'
import { addressTaken, settingsOf } from './settings-of.ts'

export const deploy = operationOf({
  name: 'deploy',
  summary: 'Begin a rollout of a version, or of a plan made before. Nothing to do counts as success.',
  input: ServiceInput.extend({
    version: z.string().exactOptional().describe('Version to deploy.'),
    plan: z
      .string()
      .exactOptional()
      .describe('Id of a plan; refused when the live state, the file or the artifact moved since.'),
    now: z.boolean().default(false).describe('End a running watch for this release.'),
    reason: ReasonInput,
  }),
  output: z.object({ rollout: z.string().nullable(), view: ServiceView }),
  permission: 'operate',
  run: async (context, { version, plan: planId, now, reason, ...input }, caller) => {
    const service = await loadService(context, input)
    if (service.kind === 'failed') return service
    const { stream, state } = service.value
    const ready = await readyPlan(context, { stream, state, version, planId, actor: caller.name })
    if (ready.kind === 'failed') return ready
    const { plan, settings } = ready.value
    const taken = await addressTaken(context, settings)
    if (taken.kind === 'failed') return taken
    const rollout = {
      id: context.ids.next('rollout'),
      plan,
      settings,
      actor: actorOf(caller),
      note: reason ?? '',
      at: context.clock.now(),
      adoption: null,
    }
    const decided = await context.engine.handle(stream, { kind: 'deploy', rollout, now })
    if (decided.kind === 'failed') return decided
    context.attend(stream)
    const began =
      decided.value.state.rollout?.id === rollout.id || decided.value.state.queued?.id === rollout.id
    const same =
      decided.value.state.rollout?.phase.kind !== 'ended' &&
      decided.value.state.rollout?.plan.to.release === plan.to.release
    const id = began ? rollout.id : same ? (decided.value.state.rollout?.id ?? null) : null
    return ok({ rollout: id, view: context.viewOf(stream, decided.value) })
  },
})

type ReadyInput = {
  stream: string
  state: ServiceState
  version: string | undefined
  planId: string | undefined
  actor: string
}

/** The plan to carry out: a new one for a version, or a kept one whose world has not moved. */
async function readyPlan(
  context: OperationContext,
  { stream, state, version, planId, actor }: ReadyInput,
): Promise<Result<{ plan: Plan; settings: ServiceSettings }>> {
  const kept = planId === undefined ? null : await loadPlan(context, planId)
  if (kept?.kind === 'failed') return kept
  const wanted = kept?.value.to.version ?? version
  if (wanted === undefined)
    return failed(
      problem('VERSION_MISSING', {
        message: 'Neither a version nor a plan was named.',
        remedy: 'sluice deploy VERSION, or sluice deploy --plan ID.',
      }),
    )
  const settings = settingsOf(context, stream)
  if (settings.kind === 'failed') return settings
  const prepared = await prepareRelease(context, { settings: settings.value, version: wanted, actor })
  if (prepared.kind === 'failed') return prepared
  const fresh = await makePlan(context, { state, ...prepared.value, kind: 'deploy', actor })
  if (fresh.kind === 'failed') return fresh
  if (kept === null) return ok({ plan: fresh.value, settings: settings.value })
  return kept.value.hash === fresh.value.hash
    ? ok({ plan: kept.value, settings: settings.value })
    : failed(planMoved(kept.value, fresh.value))
}

function planMoved(kept: Plan, fresh: Plan) {
  const moved =
    kept.base.stable !== fresh.base.stable
      ? `stable was ${kept.base.stable ?? 'nothing'} and is ${fresh.base.stable ?? 'nothing'} now`
      : kept.to.digest !== fresh.to.digest
        ? `the artifact of ${kept.to.version} has other bytes now`
        : kept.to.release !== fresh.to.release
          ? 'the configuration or a secret changed'
          : 'the steps would be others now'
  return problem('PLAN_MOVED', {
    message: `Plan ${kept.id} no longer fits: ${moved}.`,
    remedy: `Look at the new plan: sluice plan ${kept.to.version}`,
  })
}
