import * as z from 'zod'
import type { ServiceState } from '../core/rollout/state.ts'
import { ServiceView } from '../core/rollout/view/view.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { OperationContext } from './context.ts'
import { operationOf } from './context.ts'
import type { Answer, Attempt } from './once.ts'
import { IdempotencyKey, once } from './once.ts'
import type { Caller } from './operation.ts'
import { planBack } from './plan-back.ts'
import { actorOf, findStream, ReasonInput, ServiceInput } from './service-input.ts'

export const rollback = operationOf({
  name: 'rollback',
  summary:
    'Back to stable during a rollout; otherwise back to an earlier stable release, with its bytes and configuration.',
  input: ServiceInput.extend({
    to: z
      .string()
      .exactOptional()
      .describe('Version or release to go back to; the last stable one by default.'),
    force: z
      .boolean()
      .default(false)
      .describe('Go back to a release that is blocked all the same; needs a reason.'),
    reason: ReasonInput,
    idempotencyKey: IdempotencyKey,
  }),
  output: z.object({ rollout: z.string().nullable(), view: ServiceView }),
  permission: 'operate',
  run: async (context, { idempotencyKey: key, ...input }, caller) => {
    const found = await findStream(context, input)
    if (found.kind === 'failed') return found
    const stream = found.value
    return once(context, { operation: 'rollback', stream, key, input }, async (attempt) => {
      // A repeat waits for the first try, and must see what that one changed.
      const loaded = await context.engine.load(stream)
      if (loaded.kind === 'failed') return loaded
      const { state } = loaded.value
      const going = { ...input, stream, state, attempt, caller }
      return isToStable(state, input.to) ? giveUp(context, going) : goBack(context, going)
    })
  },
})

type Going = {
  stream: string
  state: ServiceState
  attempt: Attempt
  to?: string
  force: boolean
  reason?: string
  caller: Caller
}

function isToStable({ rollout, stable }: ServiceState, to: string | undefined): boolean {
  const active =
    rollout !== null && rollout.phase.kind !== 'ended' && rollout.plan.to.release !== stable?.release
  return active && (to === undefined || to === stable?.version || to === stable?.release)
}

async function giveUp(
  context: OperationContext,
  { stream, state, attempt, reason, caller }: Going,
): Promise<Result<Answer>> {
  const rollout = state.rollout?.id ?? null
  const noted = rollout === null ? ok(undefined) : await attempt.returns(rollout)
  if (noted.kind === 'failed') return noted
  const order = { kind: 'rollback' as const, actor: actorOf(caller), note: reason ?? '' }
  const decided = await context.engine.handle(stream, order)
  return decided.kind === 'failed' ? decided : ok({ rollout, view: context.viewOf(stream, decided.value) })
}

async function goBack(
  context: OperationContext,
  { stream, state, attempt, to, force, reason, caller }: Going,
): Promise<Result<Answer>> {
  if (force && (reason ?? '').trim() === '') return failed(forceNeedsReason())
  const planned = await planBack(context, { stream, state, to, actor: caller.name })
  if (planned.kind === 'failed') return planned
  const { plan, release } = planned.value
  const rollout = {
    id: attempt.rollout,
    order: force ? ('forced-rollback' as const) : ('rollback' as const),
    plan,
    settings: release.settings,
    actor: actorOf(caller),
    note: reason ?? '',
    at: context.clock.now(),
    adoption: null,
    notBefore: null,
    baseline: null,
  }
  const decided = await context.engine.handle(stream, { kind: 'deploy', rollout, now: true, wait: true })
  if (decided.kind === 'failed') return decided
  context.attend(stream)
  return ok({ rollout: rollout.id, view: context.viewOf(stream, decided.value) })
}

const forceNeedsReason = () =>
  problem('REASON_MISSING', {
    message: 'Going back to a blocked release by force needs a reason.',
    remedy: 'Add it: sluice rollback --to VERSION --force --reason TEXT.',
  })
