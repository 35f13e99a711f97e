import { ENGINE } from '../core/rollout/reason.ts'
import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import type { OperationContext } from './context.ts'
import { planBack } from './plan-back.ts'

/** What a light watch with "onFinding: rollback" asks for: the rollback that a person would order, by the engine and with the finding as its note. */
export async function goBack(context: OperationContext, stream: string): Promise<Result<void>> {
  const loaded = await context.engine.load(stream)
  if (loaded.kind === 'failed') return loaded
  const { state } = loaded.value
  const finding = state.lightWatch?.alarms[0]
  if (finding === undefined) return ok(undefined)
  const planned = await planBack(context, { stream, state, to: undefined, actor: ENGINE.name })
  if (planned.kind === 'failed') return planned
  const { plan, release } = planned.value
  const rollout = {
    id: context.ids.next('rollout'),
    order: 'rollback' as const,
    plan,
    settings: release.settings,
    actor: ENGINE,
    note: `light watch: ${finding.reason.message}`,
    at: context.clock.now(),
    adoption: null,
    notBefore: null,
    baseline: null,
  }
  const decided = await context.engine.handle(stream, { kind: 'go-back', rollout })
  return decided.kind === 'failed' ? decided : ok(undefined)
}
