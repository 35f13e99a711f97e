import { operationOf } from './context.ts'
import { HandOutput, handle } from './hand.ts'
import { actorOf, ReasonInput, ServiceInput } from './service-input.ts'

export const abort = operationOf({
  name: 'abort',
  summary: 'Give up the candidate: all traffic back to stable, then hold and stop it.',
  input: ServiceInput.extend({ reason: ReasonInput }),
  output: HandOutput,
  permission: 'operate',
  run: (context, { reason, ...input }, caller) =>
    handle(context, input, { kind: 'abort', actor: actorOf(caller), note: reason ?? '' }),
})
