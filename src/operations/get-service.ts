import { ServiceView } from '../core/rollout/view/view.ts'
import { ok } from '../core/shared/result.ts'
import { operationOf } from './context.ts'
import { loadService, ServiceInput } from './service-input.ts'

export const getService = operationOf({
  name: 'get_service',
  summary: 'One service: what is stable, what is on its way, why it waits, what can be done.',
  input: ServiceInput,
  output: ServiceView,
  permission: 'read',
  run: async (context, input) => {
    const service = await loadService(context, input)
    return service.kind === 'failed' ? service : ok(context.viewOf(service.value.stream, service.value))
  },
})
