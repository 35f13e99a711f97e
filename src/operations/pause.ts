import { operationOf } from './context.ts'
import { HandOutput, handle } from './hand.ts'
import { actorOf, ReasonInput, ServiceInput } from './service-input.ts'

export const pause = operationOf({
  name: 'pause',
  summary: 'Hold at the present weight; the analysis goes on.',
  input: ServiceInput.extend({ reason: ReasonInput }),
  output: HandOutput,
  permission: 'operate',
  run: (context, { reason, ...input }, caller) =>
    handle(context, input, { kind: 'pause', actor: actorOf(caller), note: reason ?? '' }),
})
