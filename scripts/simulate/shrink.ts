import type { SeedOptions, SeedReport } from '../../src/testkit/simulator/engine/run-seed.ts'
import { runSeed } from '../../src/testkit/simulator/engine/run-seed.ts'

/** More runs than this are not worth a shorter story. */
const TRIES = 150

export type Shrunk = { without: ReadonlySet<number>; report: SeedReport; tries: number }

/**
 * Leaves out one move after the other as long as the run still fails in the same way, later moves first: what happened
 * after the fault is the least interesting.
 */
export async function shrink(failed: SeedReport, options: Pick<SeedOptions, 'untilMs'>): Promise<Shrunk> {
  const what = kindOf(failed.failure)
  let without: ReadonlySet<number> = new Set()
  let report = failed
  let tries = 0
  for (let isShorter = true; isShorter; ) {
    isShorter = false
    for (let index = failed.moves.length - 1; index >= 0 && tries < TRIES; index -= 1) {
      if (without.has(index)) continue
      tries += 1
      const fewer = new Set([...without, index])
      const again = await runSeed({ ...options, seed: failed.seed, without: fewer })
      if (kindOf(again.failure) !== what) continue
      without = fewer
      report = again
      isShorter = true
    }
  }
  return { without, report, tries }
}

/** The sentence without its numbers and names: two runs fail in the same way when these are equal. */
export const kindOf = (failure: string | null): string | null =>
  failure === null
    ? null
    : failure
        .replace(/^[\d.]+s /, '')
        .replace(/\{.*/s, '')
        .replace(/[\w.-]*\d[\w.-]*/g, '#')
        .slice(0, 60)
