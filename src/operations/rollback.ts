import * as z from 'zod'
import type { ServiceState } from '../core/rollout/state.ts'
import { ServiceView } from '../core/rollout/view.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import { loadRelease } from '../engine/effects.ts'
import { operationOf } from './context.ts'
import { makePlan } from './make-plan.ts'
import { actorOf, loadService, ReasonInput, ServiceInput } from './service-input.ts'

export const rollback = operationOf({
  name: 'rollback',
  summary:
    'Back to stable during a rollout; otherwise back to an earlier stable release, with its bytes and configuration.',
  input: ServiceInput.extend({
    to: z
      .string()
      .exactOptional()
      .describe('Version or release to go back to; the last stable one by default.'),
    reason: ReasonInput,
  }),
  output: z.object({ rollout: z.string().nullable(), view: ServiceView }),
  permission: 'operate',
  run: async (context, { to, reason, ...input }, caller) => {
    const service = await loadService(context, input)
    if (service.kind === 'failed') return service
    const { stream, state } = service.value
    const actor = actorOf(caller)
    const note = reason ?? ''
    const active =
      state.rollout !== null &&
      state.rollout.phase.kind !== 'ended' &&
      state.rollout.plan.to.release !== state.stable?.release
    if (active && (to === undefined || to === state.stable?.version || to === state.stable?.release)) {
      const decided = await context.engine.handle(stream, { kind: 'rollback', actor, note })
      return decided.kind === 'failed'
        ? decided
        : ok({ rollout: state.rollout?.id ?? null, view: context.viewOf(stream, decided.value) })
    }
    const target = targetOf(state, to)
    if (target.kind === 'failed') return target
    const release = await loadRelease(context.store, target.value)
    if (release.kind === 'failed') return release
    if (release.value.adopted) return failed(noArtifact(release.value.version))
    const plan = await makePlan(context, {
      state,
      release: release.value,
      kind: 'rollback',
      actor: caller.name,
      warnings: [],
    })
    if (plan.kind === 'failed') return plan
    const rollout = {
      id: context.ids.next('rollout'),
      plan: plan.value,
      settings: release.value.settings,
      actor,
      note,
      at: context.clock.now(),
      adoption: null,
    }
    const decided = await context.engine.handle(stream, { kind: 'deploy', rollout, now: true })
    if (decided.kind === 'failed') return decided
    context.attend(stream)
    return ok({ rollout: rollout.id, view: context.viewOf(stream, decided.value) })
  },
})

const noArtifact = (version: string) =>
  problem('ROLLBACK_TARGET_MISSING', {
    message: `${version} was an adopted process: it has ended, and there is no artifact to start it from.`,
    remedy: 'Deploy a version that has an artifact: sluice deploy VERSION.',
  })

/** Only releases that were stable are offered: they held 100% and passed their watch. */
function targetOf(state: ServiceState, to: string | undefined): Result<string> {
  const offered = state.previous.map(({ version }) => version).join(', ') || 'none'
  const found =
    to === undefined
      ? state.previous[0]
      : state.previous.find(({ release, version }) => release === to || version === to)
  if (found !== undefined) return ok(found.release)
  const message =
    to === undefined
      ? `There is no earlier stable release of ${state.stream}.`
      : `${to} was never stable here, so it is no rollback target.`
  return failed(
    problem('ROLLBACK_TARGET_MISSING', {
      message,
      remedy: `Earlier stable releases: ${offered}. A release that was never stable is deployed: sluice deploy VERSION.`,
    }),
  )
}
