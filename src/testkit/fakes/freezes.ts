import type { FreezeState } from '../../core/shared/freeze.ts'
import { NEVER_FROZEN } from '../../core/shared/freeze.ts'
import type { Problem } from '../../core/shared/problem.ts'
import { failed, ok } from '../../core/shared/result.ts'
import type { Freezes } from '../../ports/freezes.ts'

/**
 * Freezes in memory. `breakWith` makes every answer that problem, `null` mends it.
 *
 * @example const { freezes, breakWith } = createFreezesFake()
 */
export function createFreezesFake(): { freezes: Freezes; breakWith(reason: Problem | null): void } {
  const said = new Map<string, FreezeState>()
  let broken: Problem | null = null
  return {
    freezes: {
      kind: 'fake',
      read: async (environment) =>
        broken === null ? ok(said.get(environment) ?? NEVER_FROZEN) : failed(broken),
      set: async (environment, state) => {
        if (broken !== null) return failed(broken)
        said.set(environment, state)
        return ok(undefined)
      },
    },
    breakWith: (reason) => {
      broken = reason
    },
  }
}
