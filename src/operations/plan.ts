import * as z from 'zod'
import { Plan } from '../core/plan/plan.ts'
import { operationOf } from './context.ts'
import { makePlan } from './make-plan.ts'
import { prepareRelease } from './prepare-release.ts'
import { loadService, ServiceInput } from './service-input.ts'
import { settingsOf } from './settings-of.ts'

export const plan = operationOf({
  name: 'plan',
  summary: 'What a deploy of a version would do, step by step. Changes nothing that runs.',
  input: ServiceInput.extend({ version: z.string().describe('Version to plan for.') }),
  output: Plan,
  permission: 'read',
  run: async (context, { version, ...input }, caller) => {
    const service = await loadService(context, input)
    if (service.kind === 'failed') return service
    const settings = settingsOf(context, service.value.stream)
    if (settings.kind === 'failed') return settings
    const prepared = await prepareRelease(context, { settings: settings.value, version, actor: caller.name })
    if (prepared.kind === 'failed') return prepared
    return makePlan(context, {
      state: service.value.state,
      ...prepared.value,
      kind: 'deploy',
      actor: caller.name,
    })
  },
})
