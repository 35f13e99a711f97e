import type { Plan } from '../core/plan/plan.ts'
import type { WayBack } from '../core/plan/way-back.ts'
import type { Release } from '../core/release/release.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { type Problem, problem } from '../core/shared/problem.ts'
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
  const ground = await imageOf(context, { state, release: loaded.value })
  if (ground.kind === 'failed') return ground
  const { release, warnings: changed } = await withSecretsOfToday(context, loaded.value)
  const warnings = [...ground.value, ...changed]
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

/**
 * An image that somebody has removed from the machine is pulled again before anything is decided. What runs has its image,
 * and a target that cannot be asked right now says nothing about it.
 */
async function imageOf(
  { target }: PlanBackContext,
  { state, release }: { state: ServiceState; release: Release },
): Promise<Result<string[]>> {
  const { version, artifact } = release
  const { image } = artifact
  const runs = state.sets.some(({ release: id, stage }) => id === release.id && stage === 'wanted')
  if (image === undefined || runs) return ok([])
  const found = await target.resolve({ artifact: image, version, kind: 'image' })
  if (found.kind === 'ok') return ok(found.value.warnings)
  const gone = imageGone(release, found.problem)
  return /^(IMAGE|REGISTRY)_/.test(found.problem.code) ? failed(gone) : ok([gone.message])
}

const imageGone = ({ version, artifact }: Release, of: Problem): Problem =>
  problem('ROLLBACK_IMAGE_MISSING', {
    message: `The image of ${version} (${artifact.image}) is not known to be on the machine, and cannot be brought there: ${of.code}, ${of.message}.`,
    cause: of.cause,
    remedy: of.remedy,
    retryable: of.retryable,
  })

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
