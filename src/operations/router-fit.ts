import { routerNotes, routerRefusal, routerText, routerTitle } from '../core/plan/router/router-fit.ts'
import { moveText } from '../core/plan/router/router-move.ts'
import type { Release } from '../core/release/release.ts'
import { servingsOf } from '../core/release/servings.ts'
import type { ServiceSettings } from '../core/release/settings.ts'
import { isWorker } from '../core/release/worker.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { RouterAbilities } from '../core/shared/router-ability.ts'
import type { OperationContext } from './context.ts'

/** What a plan says about its routers, or why one of them refuses it. Nothing for a worker. */
export async function fitRouter(
  { abilitiesOf }: Pick<OperationContext, 'abilitiesOf'>,
  { release, stable }: { release: Release; stable: Release | null },
): Promise<Result<{ router?: { text: string; notes: string[] } }>> {
  const { settings } = release
  if (isWorker(settings)) return ok({})
  const servings = servingsOf(settings)
  const asked = await Promise.all(servings.map(({ router }) => abilitiesOf(router)))
  for (const abilities of asked) {
    const refusal = routerRefusal({ release, stable, abilities })
    if (refusal !== null) return failed(refusal)
  }
  const before = stable === null ? [] : servingsOf(stable.settings)
  const moves = before
    .filter((one) => servings.every(({ router }) => router !== one.router))
    .flatMap((one) => moveText(settings, one) ?? [])
  const isNamed = settings.router !== 'builtin' || settings.routerFound === true || servings.length > 1
  if (!isNamed && moves.length === 0) return ok({})
  const texts = servings.flatMap(({ listen, routerFound }, index) => {
    const abilities = asked[index]
    const at = servings.length === 1 || listen === null ? '' : ` at ${listen.host}:${listen.port}`
    return abilities === undefined ? [] : [`${routerText(abilities, routerFound === true)}${at}`]
  })
  const notes = asked.flatMap((abilities) =>
    notesOf(abilities, settings).map((note) =>
      servings.length === 1 ? note : `${routerTitle(abilities.router)}: ${note}`,
    ),
  )
  return ok({ router: { text: texts.join(', and '), notes: [...notes, ...moves] } })
}

/** How exact a share is, and what happens without a controller; "sluice router check" tells the rest. */
const notesOf = (abilities: RouterAbilities, settings: ServiceSettings): string[] => [
  ...abilities.notes.slice(0, 1),
  ...routerNotes(settings, abilities),
  ...(abilities.features.revert.can ? [] : ['While no controller speaks to it, it holds the last weights.']),
]
