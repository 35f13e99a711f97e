import type { Batch } from '../../src/core/analysis/sequential/batch.ts'
import type { Metric } from '../../src/core/analysis/sequential/metric.ts'
import { addBatch, newState, verdictOf } from '../../src/core/analysis/sequential/state.ts'

const ROUNDS = 5
const ROUND_MS = 300
const BETWEEN_CLOCKS = 100

/**
 * Metrics that one core takes in and judges per second, one figure a round. The clock is the CPU time of this process,
 * since other work shares the core.
 */
export function measureSpeed(metric: Metric, batch: Batch): number[] {
  let state = newState()
  const round = (): number => {
    const began = cpuMs()
    let done = 0
    let tookMs = 0
    while (tookMs < ROUND_MS) {
      for (let one = 0; one < BETWEEN_CLOCKS; one += 1) {
        state = addBatch(metric, state, batch)
        verdictOf(metric, state, 0.01)
      }
      done += BETWEEN_CLOCKS
      tookMs = cpuMs() - began
    }
    return (1000 * done) / tookMs
  }
  round()
  return Array.from({ length: ROUNDS }, round)
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
