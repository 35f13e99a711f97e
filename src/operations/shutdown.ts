import * as z from 'zod'
import { ok } from '../core/shared/result.ts'
import { operationOf } from './context.ts'

export const shutdown = operationOf({
  name: 'shutdown',
  summary:
    'End the controller; traffic flows on. With `everything`, stop the instances, the agent and the proxy, too.',
  input: z.strictObject({ everything: z.boolean().default(false) }),
  output: z.object({ stopping: z.boolean() }),
  permission: 'operate',
  run: async (context, { everything }) => {
    context.shutdown(everything)
    return ok({ stopping: true })
  },
})
