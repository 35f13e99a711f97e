import { routerRefusal, routerText } from '../core/plan/router/router-fit.ts'
import type { Release } from '../core/release/release.ts'
import { isWorker } from '../core/release/worker.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { RouterAbilities } from '../core/shared/router-ability.ts'
import type { OperationContext } from './context.ts'

/** What a plan says about its router, or why the router refuses it. Nothing for a worker. */
export async function fitRouter(
  { abilitiesOf }: Pick<OperationContext, 'abilitiesOf'>,
  { release, stable }: { release: Release; stable: Release | null },
): Promise<Result<{ router?: { text: string; notes: string[] } }>> {
  const { settings } = release
  if (isWorker(settings)) return ok({})
  const abilities = await abilitiesOf(settings.router)
  const refusal = routerRefusal({ release, stable, abilities })
  if (refusal !== null) return failed(refusal)
  const isNamed = settings.router !== 'builtin' || settings.routerFound === true
  if (!isNamed) return ok({})
  const text = routerText(abilities, settings.routerFound === true)
  return ok({ router: { text, notes: notesOf(abilities) } })
}

/** How exact a share is, and what happens without a controller; "sluice router check" tells the rest. */
const notesOf = ({ notes, features }: RouterAbilities): string[] => [
  ...notes.slice(0, 1),
  ...(features.revert.can ? [] : ['While no controller speaks to it, it holds the last weights.']),
]
