import { environmentOf } from '../core/release/settings.ts'
import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import type { OperationContext } from './context.ts'

/** Before something begins: the service learns what was said about its environment up to this moment, not up to its last look. */
export async function hearOfFreeze(
  { freezes, engine }: Pick<OperationContext, 'freezes' | 'engine'>,
  stream: string,
): Promise<Result<void>> {
  const seen = await freezes.read(environmentOf(stream))
  if (seen.kind === 'failed') return seen
  const decided = await engine.handle(stream, { kind: 'freeze-seen', seen: seen.value })
  return decided.kind === 'failed' ? decided : ok(undefined)
}
