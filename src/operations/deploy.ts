import * as z from 'zod'
import type { Plan } from '../core/plan/plan.ts'
import { ReleaseAbout } from '../core/release/release-about.ts'
import type { ServiceSettings } from '../core/release/settings.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { ServiceView } from '../core/rollout/view/view.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import { baselineFacts } from '../engine/baselines.ts'
import { refusalElsewhere } from './blocks.ts'
import type { OperationContext } from './context.ts'
import { operationOf } from './context.ts'
import { FutureTime, futureTime } from './future-time.ts'
import { hearOfFreeze } from './hear-of-freeze.ts'
import { loadPlan, makePlan } from './make-plan.ts'
import type { Answer } from './once.ts'
import { IdempotencyKey, once } from './once.ts'
import type { Caller } from './operation.ts'
import { prepareRelease } from './prepare-release.ts'
import { aboutIn, sayAbout } from './say-about.ts'
import { actorOf, FullInput, findStream, ReasonInput, RetryInput, ServiceInput } from './service-input.ts'
import { addressTaken, settingsAfter } from './settings-of.ts'

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
    retry: RetryInput,
    full: FullInput,
    at: FutureTime.describe('Not before this time; it waits until then.'),
    wait: z
      .boolean()
      .default(true)
      .describe(
        'Wait for the windows, and for the end of a freeze. Otherwise refused where it may not begin at once.',
      ),
    ...ReleaseAbout.shape,
    reason: ReasonInput,
    idempotencyKey: IdempotencyKey,
  }),
  output: z.object({ rollout: z.string().nullable(), view: ServiceView }),
  permission: 'operate',
  run: async (context, { idempotencyKey: key, ...input }, caller) => {
    const found = await findStream(context, input)
    if (found.kind === 'failed') return found
    const stream = found.value
    return once(context, { operation: 'deploy', stream, key, input }, async ({ rollout }) => {
      const heard = await hearOfFreeze(context, stream)
      if (heard.kind === 'failed') return heard
      // A repeat waits for the first try, and must see what that one changed.
      const loaded = await context.engine.load(stream)
      if (loaded.kind === 'failed') return loaded
      return begin(context, {
        ...input,
        about: aboutIn(input),
        stream,
        state: loaded.value.state,
        rollout,
        caller,
      })
    })
  },
})

type BeginInput = {
  about: ReleaseAbout
  stream: string
  state: ServiceState
  rollout: string
  version?: string
  plan?: string
  now: boolean
  at?: string
  wait: boolean
  retry: boolean
  full: boolean
  reason?: string
  caller: Caller
}

async function begin(
  context: OperationContext,
  { stream, state, rollout: id, version, plan: planId, ...asked }: BeginInput,
): Promise<Result<Answer>> {
  const { now, at, wait, retry, full, reason, caller, about } = asked
  const notBefore = futureTime(at, context.clock.now())
  if (notBefore.kind === 'failed') return notBefore
  const ready = await readyPlan(context, { state, version, planId, retry, full, actor: caller.name })
  if (ready.kind === 'failed') return ready
  const { plan, settings } = ready.value
  const taken = await addressTaken(context, settings)
  if (taken.kind === 'failed') return taken
  const said = await sayAbout(context.store, plan.to.release, about)
  if (said.kind === 'failed') return said
  const rollout = {
    id,
    order: retry ? ('retry' as const) : ('deploy' as const),
    plan,
    settings,
    actor: actorOf(caller),
    note: reason ?? '',
    at: context.clock.now(),
    adoption: null,
    notBefore: notBefore.value,
    baseline: await baselineFacts(context.store, state),
  }
  const decided = await context.engine.handle(stream, { kind: 'deploy', rollout, now, wait })
  if (decided.kind === 'failed') return decided
  context.attend(stream)
  const { state: after } = decided.value
  const began = after.rollout?.id === id || after.queued?.id === id
  const same = after.rollout?.phase.kind !== 'ended' && after.rollout?.plan.to.release === plan.to.release
  const answered = began ? id : same ? (after.rollout?.id ?? null) : null
  return ok({ rollout: answered, view: context.viewOf(stream, decided.value) })
}

type ReadyInput = {
  state: ServiceState
  version: string | undefined
  planId: string | undefined
  retry: boolean
  full: boolean
  actor: string
}

/** The plan to carry out: a new one for a version, or a kept one whose world has not moved. */
async function readyPlan(
  context: OperationContext,
  { state, version, planId, retry, full, actor }: ReadyInput,
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
  const settings = settingsAfter(context, state)
  if (settings.kind === 'failed') return settings
  const prepared = await prepareRelease(context, { settings: settings.value, version: wanted, actor })
  if (prepared.kind === 'failed') return prepared
  const refusal = retry ? ok(null) : await refusalElsewhere(context, prepared.value.release)
  if (refusal.kind === 'failed') return refusal
  if (refusal.value !== null && state.stable?.release !== prepared.value.release.id)
    return failed(refusal.value)
  const kind = full || kept?.value.strategy === 'full' ? 'full' : 'deploy'
  const fresh = await makePlan(context, { state, ...prepared.value, kind, actor })
  if (fresh.kind === 'failed') return fresh
  if (kept === null) return ok({ plan: fresh.value, settings: settings.value })
  return kept.value.hash === fresh.value.hash
    ? ok({ plan: kept.value, settings: settings.value })
    : failed(planMoved(kept.value, fresh.value))
}

function planMoved(kept: Plan, fresh: Plan) {
  const { moved, hint = '' } = whatMoved(kept, fresh)
  return problem('PLAN_MOVED', {
    message: `Plan ${kept.id} no longer fits: ${moved}.`,
    remedy: `Look at the new plan: sluice plan ${kept.to.version}${hint}`,
  })
}

function whatMoved(kept: Plan, fresh: Plan): { moved: string; hint?: string } {
  if (kept.base.stable !== fresh.base.stable)
    return {
      moved: `stable was ${kept.base.stable ?? 'nothing'} and is ${fresh.base.stable ?? 'nothing'} now`,
    }
  if (kept.to.digest !== fresh.to.digest)
    return {
      moved: `the artifact of ${kept.to.version} has other bytes now`,
      hint: '. Where nobody built it anew, something like a log is written into its folder.',
    }
  if (kept.to.release !== fresh.to.release) return { moved: 'the configuration or a secret changed' }
  return { moved: 'the steps would be others now' }
}
