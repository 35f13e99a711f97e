import { describe, expect, it } from 'vitest'
import { runSeed } from './run-seed.ts'

/** A taste, so that every test run has it; CI runs thousands in a phase of its own. */
const SEEDS = 60
/** Far above what it takes: the machine may be busy. */
const LIMIT_MS = 120_000

describe('the engine in a world where everything goes wrong', { timeout: LIMIT_MS }, () => {
  it(`keeps every invariant over ${SEEDS} seeds, and comes to rest when the faults are over (S112, S113, S114, S115, S116, INV1, INV2, INV3, INV4, INV7, INV8, INV9, INV10)`, async () => {
    const failures: string[] = []
    const faults = new Set<string>()
    let rollouts = 0
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const report = await runSeed({ seed })
      if (report.failure !== null)
        failures.push(`${report.failure} (npm run simulate -- --seed ${seed} --trace)`)
      for (const kind of Object.keys(report.faults)) faults.add(kind)
      rollouts += report.rollouts
    }
    expect(failures).toEqual([])
    expect(rollouts).toBeGreaterThan(2 * SEEDS)
    expect([...faults].sort()).toEqual(
      expect.arrayContaining([
        'conflict',
        'controller died',
        'crash-after',
        'crash-before',
        'double',
        'lose-answer',
        'stale',
        'stop-process',
        'provider',
        'alerts',
      ]),
    )
  })

  it('runs the same seed twice to the same trace, byte for byte (INV9)', async () => {
    for (const seed of [3, 14, 159]) {
      const first = await runSeed({ seed, trace: true })
      const again = await runSeed({ seed, trace: true })
      expect(first.trace.length).toBeGreaterThan(100)
      expect(again.trace.join('\n')).toBe(first.trace.join('\n'))
    }
  })

  it('leaves out a move without changing those that stay', async () => {
    const whole = await runSeed({ seed: 7 })
    const less = await runSeed({ seed: 7, without: new Set([1]) })
    expect(less.moves).toEqual(whole.moves)
  })
})
