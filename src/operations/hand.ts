import * as z from 'zod'
import type { Command } from '../core/rollout/command.ts'
import { ServiceView } from '../core/rollout/view/view.ts'
import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import type { OperationContext } from './context.ts'
import type { ServiceInput } from './service-input.ts'
import { findStream } from './service-input.ts'

export const HandOutput = z.object({ view: ServiceView })

/** Commands by hand go to the engine as they are; the answer is the service as it stands after the decision. */
export async function handle(
  context: OperationContext,
  input: ServiceInput,
  command: Command,
): Promise<Result<z.infer<typeof HandOutput>>> {
  const stream = await findStream(context, input)
  if (stream.kind === 'failed') return stream
  const decided = await context.engine.handle(stream.value, command)
  return decided.kind === 'failed' ? decided : ok({ view: context.viewOf(stream.value, decided.value) })
}
