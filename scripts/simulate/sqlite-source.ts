import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSqliteStore } from '../../src/adapters/stores/sqlite/store.ts'
import type { StoreSource } from '../../src/testkit/simulator/engine/universe.ts'

/** The shipped store in a folder of its own, for one seed. */
export async function sqliteSource(): Promise<StoreSource> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-simulation-'))
  return {
    open: async () => {
      const store = await createSqliteStore({ file: join(folder, 'state.db') })
      if (store.kind === 'failed') throw new Error(store.problem.message)
      return store.value
    },
    // The lock of the file ends with its process.
    abandon: (store) => store.close(),
    close: () => rm(folder, { recursive: true, force: true }),
  }
}
