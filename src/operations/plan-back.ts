import type { Plan } from '../core/plan/plan.ts'
import type { WayBack } from '../core/plan/way-back.ts'
import type { Release } from '../core/release/release.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import { loadRelease } from '../engine/effects.ts'
import type { OperationContext } from './context.ts'
import { makePlan, type PlanContext } from './make-plan.ts'
import { settingsOf } from './settings-of.ts'

export type PlanBackContext = PlanContext & Pick<OperationContext, 'target' | 'loadSettings'>
type PlanBackInput = { stream: string; state: ServiceState; to: string | undefined; actor: string }

/** The plan for going back to a release that was stable here, with its bytes and settings and the secrets of today. */
export async function planBack(
  context: PlanBackContext,
  { stream, state, to, actor }: PlanBackInput,
): Promise<Result<{ plan: Plan; release: Release }>> {
  const target = targetOf(state, to)
  if (target.kind === 'failed') return target
  const loaded = await loadRelease(context.store, target.value)
  if (loaded.kind === 'failed') return loaded
  if (loaded.value.adopted) return failed(noArtifact(loaded.value.version))
  const { release, warnings } = await withSecretsOfToday(context, loaded.value)
  const back = wayBackOf(context, { stream, state, release: release.id })
  const plan = await makePlan(context, { state, release, kind: 'rollback', back, actor, warnings })
  return plan.kind === 'failed' ? plan : ok({ plan: plan.value, release: loaded.value })
}

/** The window of the file of today; with a broken file, the one that stable was made with. */
function wayBackOf(
  context: PlanBackContext,
  { stream, state, release }: { stream: string; state: ServiceState; release: string },
): WayBack | null {
  const settings = settingsOf(context, stream)
  const window = (settings.kind === 'ok' ? settings.value : state.settings)?.rollback.window
  const position = state.previous.findIndex((one) => one.release === release)
  return window === undefined || position < 0 ? null : { releases: position + 1, window }
}

/** Values of secrets are not kept: the release starts with those of today, and the plan says where they differ. */
async function withSecretsOfToday(
  context: PlanBackContext,
  release: Release,
): Promise<{ release: Release; warnings: string[] }> {
  const today = await context.target.secretVersions(release.settings.run.secrets)
  if (today.kind === 'failed') return { release, warnings: [today.problem.message] }
  const changed = Object.keys(today.value).filter(
    (name) => today.value[name] !== release.secretVersions[name],
  )
  const warnings = changed.map(
    (name) =>
      `The secret ${name} was changed since ${release.version} ran: it starts with the value of today.`,
  )
  return { release: { ...release, secretVersions: today.value }, warnings }
}

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
