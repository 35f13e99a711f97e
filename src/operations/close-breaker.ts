import { operationOf } from './context.ts'
import { HandOutput, handle } from './hand.ts'
import { actorOf, RequiredReason, ServiceInput } from './service-input.ts'

export const closeBreaker = operationOf({
  name: 'close_breaker',
  summary: 'Allow deploys again after too many automatic rollbacks; they are counted anew.',
  input: ServiceInput.extend({ reason: RequiredReason }),
  output: HandOutput,
  permission: 'operate',
  run: (context, { reason, ...input }, caller) =>
    handle(context, input, { kind: 'close-breaker', actor: actorOf(caller), note: reason }),
})
