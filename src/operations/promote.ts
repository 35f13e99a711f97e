import * as z from 'zod'
import { operationOf } from './context.ts'
import { HandOutput, handle } from './hand.ts'
import { actorOf, ReasonInput, ServiceInput } from './service-input.ts'

export const promote = operationOf({
  name: 'promote',
  summary: 'Finish the present step by hand; with `full`, go straight to 100%.',
  input: ServiceInput.extend({
    full: z.boolean().default(false).describe('All the way to 100%.'),
    reason: ReasonInput,
  }),
  output: HandOutput,
  permission: 'operate',
  run: (context, { full, reason, ...input }, caller) =>
    handle(context, input, { kind: 'promote', full, actor: actorOf(caller), note: reason ?? '' }),
})
