import { assessPlan } from '../core/plan/assess-plan.ts'
import type { PlanInput } from '../core/plan/compose.ts'
import { composePlan, hashedPart } from '../core/plan/compose.ts'
import { median } from '../core/plan/measured.ts'
import { Plan } from '../core/plan/plan.ts'
import type { Release } from '../core/release/release.ts'
import { isWorker } from '../core/release/worker.ts'
import { holdsBegin } from '../core/rollout/may-begin.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { type Problem, problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import { loadRelease } from '../engine/effects.ts'
import { ROLLOUT_DOCUMENT, RolloutRecord } from '../engine/record.ts'
import type { OperationContext } from './context.ts'
import { overlapWarnings } from './overlap.ts'
import { measuredReach, momentOf } from './risk-facts.ts'
import { fitRouter } from './router-fit.ts'

export const PLAN_DOCUMENT = 'plan'
/** Durations are expected from this many rollouts back. */
const HISTORY_LIMIT = 5
/** Few rollouts go back: for their durations more of them are looked at, and the newest of those that did count. */
const WAY_BACK_HISTORY_LIMIT = 50
const WAYS_BACK_SHOWN = 10

/** What a plan is made with. */
export type PlanContext = Pick<
  OperationContext,
  'store' | 'clock' | 'ids' | 'digest' | 'channelWarnings' | 'abilitiesOf' | 'checkCertificate'
>

export type MakePlanInput = {
  state: ServiceState
  release: Release
  kind: PlanInput['kind']
  back?: PlanInput['back']
  actor: string
  warnings: string[]
}

/** Composes the plan for a release on the present state, gives it id and hash, and keeps it. */
export async function makePlan(
  context: PlanContext,
  { state, release, kind, back = null, actor, warnings }: MakePlanInput,
): Promise<Result<Plan>> {
  const stable = state.stable === null ? ok(null) : await loadRelease(context.store, state.stable.release)
  if (stable.kind === 'failed') return stable
  if (stable.value !== null && isWorker(stable.value.settings) !== isWorker(release.settings))
    return failed(listenChanged(stable.value, release))
  const fit = await fitRouter(context, { release, stable: stable.value })
  if (fit.kind === 'failed') return fit
  const certificate = await certificateOf(context, { release, kind })
  if (certificate.kind === 'failed') return certificate
  const active = state.rollout !== null && state.rollout.phase.kind !== 'ended' ? state.rollout : null
  const history = await measuredDurations(context, release.stream)
  const alone = composePlan({
    release,
    stable: stable.value,
    candidate: active?.plan.to.release ?? null,
    kind,
    back,
    history,
    actor,
    now: context.clock.now(),
    warnings: [...warnings, ...certificate.value, ...context.channelWarnings(release.settings)],
  })
  const composed = { ...alone, warnings: [...alone.warnings, ...overlapWarnings(state, alone)] }
  const order = kind === 'deploy' ? ('deploy' as const) : ('rollback' as const)
  const begin = { plan: composed, order, settings: release.settings, notBefore: null }
  const held = composed.kind === 'none' ? null : holdsBegin(state, begin, composed.createdAt)
  const content = assessPlan(composed, {
    release,
    stable: stable.value,
    trafficOffMs: history.trafficOffMs,
    measured: await measuredReach(context, state),
    moment: await momentOf(context, { state, release: release.id, held, now: composed.createdAt }),
  })
  const waits = held === null ? [] : [`It would wait: ${held.message}.`]
  const plan: Plan = {
    ...content,
    ...fit.value,
    warnings: [...content.warnings, ...waits],
    id: context.ids.next('plan'),
    hash: context.digest(hashedPart(content)),
  }
  const put = await context.store.putDocument({
    kind: PLAN_DOCUMENT,
    id: plan.id,
    stream: plan.stream,
    at: plan.createdAt,
    body: plan,
  })
  return put.kind === 'failed' ? put : ok(plan)
}

/** A way back does not fail because somebody renews files right now: the data plane still has the pair from before. */
async function certificateOf(
  { checkCertificate }: Pick<OperationContext, 'checkCertificate'>,
  { release, kind }: Pick<MakePlanInput, 'release' | 'kind'>,
): Promise<Result<string[]>> {
  const checked = await checkCertificate(release.settings)
  return checked.kind === 'failed' && kind === 'rollback' ? ok([checked.problem.message]) : checked
}

/** One has a share of traffic, the other a share of the instances: no rollout leads from one to the other. */
const listenChanged = (stable: Release, release: Release): Problem =>
  problem('LISTEN_CHANGED', {
    message: isWorker(release.settings)
      ? `${release.version} is a worker (listen: none), and ${stable.version}, which is stable, takes traffic.`
      : `${release.version} takes traffic, and ${stable.version}, which is stable, is a worker (listen: none).`,
    remedy:
      'Give the new kind a service of its own, and take the other one down when it is no longer needed.',
  })

export async function loadPlan(context: OperationContext, id: string): Promise<Result<Plan>> {
  const document = await context.store.getDocument(PLAN_DOCUMENT, id)
  if (document.kind === 'failed') return document
  const parsed = Plan.safeParse(document.value?.body)
  if (parsed.success) return ok(parsed.data)
  return failed(
    problem('PLAN_NOT_FOUND', {
      message: `There is no plan ${id}.`,
      remedy: 'Make one: sluice plan VERSION. It prints the id to use.',
    }),
  )
}

/** Medians of what provisioning and draining took in the last rollouts, and what the last ways back took. */
async function measuredDurations(context: PlanContext, stream: string): Promise<PlanInput['history']> {
  const documents = await context.store.listDocuments({
    kind: ROLLOUT_DOCUMENT,
    stream,
    limit: WAY_BACK_HISTORY_LIMIT,
  })
  const records =
    documents.kind === 'ok'
      ? documents.value.flatMap(({ body }) => RolloutRecord.safeParse(body).data ?? [])
      : []
  const durations = (kind: string): number[] =>
    records
      .slice(0, HISTORY_LIMIT)
      .flatMap(({ view }) =>
        view.steps
          .filter((step) => step.kind === kind && step.state === 'done')
          .map(({ startedAt, endedAt }) => (endedAt ?? 0) - (startedAt ?? 0)),
      )
  return {
    provisionMs: median(durations('provision')),
    drainMs: median(durations('drain')),
    vacateMs: median(durations('vacate')),
    trafficOffMs: records.flatMap(({ view }) => view.trafficOffMs ?? []).slice(0, WAYS_BACK_SHOWN),
  }
}
