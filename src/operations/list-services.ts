import * as z from 'zod'
import { ServiceView } from '../core/rollout/view/view.ts'
import { ok } from '../core/shared/result.ts'
import { operationOf } from './context.ts'
import { viewService } from './service-input.ts'

export const listServices = operationOf({
  name: 'list_services',
  summary: 'All services with a past in this folder, and what the file describes.',
  input: z.strictObject({}),
  output: z.object({ services: z.array(ServiceView) }),
  permission: 'read',
  run: async (context) => {
    const streams = await context.store.streams()
    if (streams.kind === 'failed') return streams
    const settings = context.loadSettings('local')
    const described =
      settings.kind === 'ok' ? settings.value.map((one) => `${one.service}.${one.environment}`) : []
    const services: ServiceView[] = []
    for (const stream of [...new Set([...described, ...streams.value])].sort()) {
      const view = await viewService(context, stream)
      if (view.kind === 'failed') return view
      services.push(view.value)
    }
    return ok({ services })
  },
})
