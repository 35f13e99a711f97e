import type { SeedReport } from '../../src/testkit/simulator/engine/run-seed.ts'
import { runSeed } from '../../src/testkit/simulator/engine/run-seed.ts'
import { sqliteSource } from '../simulate/sqlite-source.ts'

export type OneSeed = { seed: number; store: 'memory' | 'sqlite'; trace?: boolean }

/** What a mutant is run through: the simulator and everything below it are loaded from here. */
export async function oneSeed({ seed, store, trace = false }: OneSeed): Promise<SeedReport> {
  return runSeed({ seed, trace, ...(store === 'sqlite' ? { source: await sqliteSource() } : {}) })
}
