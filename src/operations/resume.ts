import { operationOf } from './context.ts'
import { HandOutput, handle } from './hand.ts'
import { actorOf, ReasonInput, ServiceInput } from './service-input.ts'

export const resume = operationOf({
  name: 'resume',
  summary: 'Go on after a pause; a warning that paused it does not pause it again.',
  input: ServiceInput.extend({ reason: ReasonInput }),
  output: HandOutput,
  permission: 'operate',
  run: (context, { reason, ...input }, caller) =>
    handle(context, input, { kind: 'resume', actor: actorOf(caller), note: reason ?? '' }),
})
