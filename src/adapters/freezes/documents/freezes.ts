import { FreezeState, NEVER_FROZEN } from '../../../core/shared/freeze.ts'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { Freezes } from '../../../ports/freezes.ts'
import type { Store } from '../../../ports/store.ts'

const KIND = 'freeze'

type FreezeStore = Pick<Store, 'shared' | 'getDocument' | 'putDocument'>

/**
 * Freezes as documents of the store, one for each environment: what `sluice freeze` writes, all controllers read. Nobody
 * but its one owner writes to an embedded store, so there what was read or written last still holds.
 *
 * @example createFreezes(store).read('production')
 */
export function createFreezes(store: FreezeStore): Freezes {
  const latest = new Map<string, FreezeState>()
  const keep = (environment: string, state: FreezeState): void => {
    if (!store.shared) latest.set(environment, state)
  }
  return {
    kind: 'documents',
    read: async (environment) => {
      const known = latest.get(environment)
      if (known !== undefined) return ok(known)
      const read = await readFrom(store, environment)
      if (read.kind === 'ok') keep(environment, read.value)
      return read
    },
    set: async (environment, state) => {
      latest.delete(environment)
      const document = { kind: KIND, id: environment, stream: environment, at: state.asOf, body: state }
      const put = await store.putDocument(document)
      if (put.kind === 'ok') keep(environment, state)
      return put
    },
  }
}

async function readFrom(store: FreezeStore, environment: string): Promise<Result<FreezeState>> {
  const document = await store.getDocument(KIND, environment)
  if (document.kind === 'failed') return document
  if (document.value === null) return ok(NEVER_FROZEN)
  const parsed = FreezeState.safeParse(document.value.body)
  return parsed.success ? ok(parsed.data) : failed(unreadable(environment, parsed.error.message))
}

const unreadable = (environment: string, cause: string) =>
  problem('FREEZE_UNREADABLE', {
    message: `What was said about a freeze of ${environment} cannot be read.`,
    cause,
    remedy: `Say it again: sluice freeze --env ${environment} --reason TEXT, or sluice unfreeze --env ${environment}.`,
  })
