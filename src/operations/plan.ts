import * as z from 'zod'
import { Plan } from '../core/plan/plan.ts'
import { refusalOf } from '../core/rollout/refusal.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import { refusalElsewhere } from './blocks.ts'
import type { OperationContext } from './context.ts'
import { operationOf } from './context.ts'
import { makePlan } from './make-plan.ts'
import { planBack } from './plan-back.ts'
import { prepareRelease } from './prepare-release.ts'
import { FullInput, loadService, RetryInput, ServiceInput } from './service-input.ts'
import { settingsAfter } from './settings-of.ts'

export const plan = operationOf({
  name: 'plan',
  summary:
    'What a deploy of a version would do, step by step, or what going back to it would. Changes nothing that runs. Refused when it could not be done.',
  input: ServiceInput.extend({
    version: z.string().describe('Version to plan for.'),
    rollback: z.boolean().default(false).describe('Plan the way back to it: it was stable here before.'),
    retry: RetryInput,
    full: FullInput,
  }),
  output: Plan,
  permission: 'read',
  run: async (context, { version, rollback, retry, full, ...input }, caller) => {
    const service = await loadService(context, input)
    if (service.kind === 'failed') return service
    const asked = { ...service.value, version, retry, full, actor: caller.name }
    return rollback ? backwards(context, asked) : forwards(context, asked)
  },
})

type Asked = {
  stream: string
  state: ServiceState
  version: string
  retry: boolean
  full: boolean
  actor: string
}

async function backwards(
  context: OperationContext,
  { stream, state, version, actor }: Asked,
): Promise<Result<Plan>> {
  const planned = await planBack(context, { stream, state, to: version, actor })
  if (planned.kind === 'failed') return planned
  const release = planned.value.release.id
  const refusal = refusalOf(state, { release, order: 'rollback' }, context.clock.now())
  return refusal === null ? ok(planned.value.plan) : failed(refusal)
}

async function forwards(
  context: OperationContext,
  { state, version, retry, full, actor }: Asked,
): Promise<Result<Plan>> {
  const settings = settingsAfter(context, state)
  if (settings.kind === 'failed') return settings
  const prepared = await prepareRelease(context, { settings: settings.value, version, actor })
  if (prepared.kind === 'failed') return prepared
  const { release } = prepared.value
  if (release.id !== state.stable?.release) {
    const order = retry ? 'retry' : 'deploy'
    const here = refusalOf(state, { release: release.id, order }, context.clock.now())
    if (here !== null) return failed(here)
    const elsewhere = retry ? ok(null) : await refusalElsewhere(context, release)
    if (elsewhere.kind === 'failed') return elsewhere
    if (elsewhere.value !== null) return failed(elsewhere.value)
  }
  return makePlan(context, { state, ...prepared.value, kind: full ? 'full' : 'deploy', actor })
}
