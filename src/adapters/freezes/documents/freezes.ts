import { FreezeState, NEVER_FROZEN } from '../../../core/shared/freeze.ts'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok } from '../../../core/shared/result.ts'
import type { Freezes } from '../../../ports/freezes.ts'
import type { Store } from '../../../ports/store.ts'

const KIND = 'freeze'

/**
 * Freezes as documents of the store, one for each environment: what `sluice freeze` writes, all controllers read.
 *
 * @example createFreezes(store).read('production')
 */
export function createFreezes(store: Pick<Store, 'getDocument' | 'putDocument'>): Freezes {
  return {
    kind: 'documents',
    read: async (environment) => {
      const document = await store.getDocument(KIND, environment)
      if (document.kind === 'failed') return document
      if (document.value === null) return ok(NEVER_FROZEN)
      const parsed = FreezeState.safeParse(document.value.body)
      return parsed.success ? ok(parsed.data) : failed(unreadable(environment, parsed.error.message))
    },
    set: (environment, state) =>
      store.putDocument({ kind: KIND, id: environment, stream: environment, at: state.asOf, body: state }),
  }
}

const unreadable = (environment: string, cause: string) =>
  problem('FREEZE_UNREADABLE', {
    message: `What was said about a freeze of ${environment} cannot be read.`,
    cause,
    remedy: `Say it again: sluice freeze --env ${environment} --reason TEXT, or sluice unfreeze --env ${environment}.`,
  })
