import { operationOf } from './context.ts'
import { HandOutput, handle } from './hand.ts'
import { actorOf, ReasonInput, ServiceInput } from './service-input.ts'

export const unadopt = operationOf({
  name: 'unadopt',
  summary:
    'Give an adopted process back, running and unchanged. Move its clients back to its own port first.',
  input: ServiceInput.extend({ reason: ReasonInput }),
  output: HandOutput,
  permission: 'operate',
  run: (context, { reason, ...input }, caller) =>
    handle(context, input, { kind: 'unadopt', actor: actorOf(caller), note: reason ?? '' }),
})
