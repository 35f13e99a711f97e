import { createPostgresStore } from '../../src/adapters/stores/postgres/store.ts'
import { createSqliteStore } from '../../src/adapters/stores/sqlite/store.ts'
import type { Store } from '../../src/ports/store.ts'
import type { StorePlace } from './messages.ts'

/** Opens the store and joins it. */
export async function openPlace(place: StorePlace): Promise<Store> {
  const opened =
    place.kind === 'sqlite' ? await createSqliteStore({ file: place.file }) : await createPostgresStore(place)
  if (opened.kind === 'failed') throw new Error(opened.problem.message)
  const { pid } = process
  const joined = await opened.value.join({ name: `bench-${pid}`, pid, host: 'bench', startedAt: Date.now() })
  if (joined.kind === 'failed') throw new Error(joined.problem.message)
  return opened.value
}
