import * as z from 'zod'
import { operationOf } from './context.ts'
import { HandOutput, handle } from './hand.ts'
import { actorOf, ReasonInput, ServiceInput } from './service-input.ts'

export const discardRelease = operationOf({
  name: 'discard_release',
  summary: 'Stop a candidate that is held for inspection. Its record and its artifact stay.',
  input: ServiceInput.extend({
    release: z
      .string()
      .exactOptional()
      .describe('Version or release that is held; may be left out when only one is.'),
    reason: ReasonInput,
  }),
  output: HandOutput,
  permission: 'operate',
  run: (context, { release, reason, ...input }, caller) =>
    handle(context, input, {
      kind: 'discard',
      release: release ?? null,
      actor: actorOf(caller),
      note: reason ?? '',
    }),
})
