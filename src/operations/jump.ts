import { WeightPermille } from '../core/shared/weight.ts'
import { operationOf } from './context.ts'
import { HandOutput, handle } from './hand.ts'
import { actorOf, ReasonInput, ServiceInput } from './service-input.ts'

export const jump = operationOf({
  name: 'jump',
  summary:
    'Go to the step of the plan with this share of traffic, ahead or back. Steps between are skipped, or begin anew; readiness, checks and the watch are never skipped.',
  input: ServiceInput.extend({
    weightPermille: WeightPermille.min(1).describe('Share of a step of the plan, in per mille.'),
    reason: ReasonInput,
  }),
  output: HandOutput,
  permission: 'operate',
  run: (context, { weightPermille, reason, ...input }, caller) =>
    handle(context, input, { kind: 'jump', weightPermille, actor: actorOf(caller), note: reason ?? '' }),
})
