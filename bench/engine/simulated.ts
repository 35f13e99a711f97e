import { runChunk } from '../../scripts/simulate/batch.ts'
import { measured, orMissing, pointOf, type Row, spread } from '../kit/row.ts'

const AIM_PER_SECOND = 1000

type Simulated = { runs: number; seeds: number; say: (text: string) => unknown }

/** Whole rollouts with faults and all rules checked, on one thread; each run has seeds of its own. */
export async function simulatedRows({ runs, seeds, say }: Simulated): Promise<Row[]> {
  return orMissing('simulated rollouts', async () => {
    const rates: number[] = []
    for (let run = 0; run <= runs; run += 1) {
      const began = performance.now()
      const { rollouts, failures } = await runChunk({ from: 1 + run * seeds, seeds, store: 'memory' })
      const rate = (rollouts * 1000) / (performance.now() - began)
      if (run > 0) rates.push(rate)
      const failed = failures.length === 0 ? '' : `; ${failures.length} seeds failed`
      say(`simulated rollouts: ${rate.toFixed(0)} per second${failed}${run === 0 ? ' (not counted)' : ''}`)
    }
    const points = spread(rates)
    const aim = {
      text: `median at least ${AIM_PER_SECOND}`,
      met: pointOf(points, 'median') >= AIM_PER_SECOND,
    }
    return [measured('simulated rollouts, one thread', { unit: 'rollouts/s', points, runs, aim })]
  })
}
