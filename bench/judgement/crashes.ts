import { budgetOf } from '../../src/core/analysis/sequential/judge.ts'
import { Metric, type MetricInput } from '../../src/core/analysis/sequential/metric.ts'
import { addBatch, newState, verdictOf } from '../../src/core/analysis/sequential/state.ts'
import { type Outcome, outcomeOf } from './cell.ts'
import { ALPHA, HARM_METRICS } from './judges.ts'
import { seedOf, uniformFrom } from './random.ts'
import { poisson } from './samplers.ts'

const METRIC = Metric.parse({ name: 'crashes', kind: 'rate' } satisfies MetricInput)
/** Instances that run for one look, and how often one of them crashes. */
const INSTANCES = { candidate: 4, stable: 4 }
const CRASHES_PER_LOOK = 0.02
const LOOKS = 180

/** Crashes of a candidate that is as good as stable, judged with the share of the budget that the product gives them. */
export function measureCrashes(runs: number): Outcome {
  const uniform = uniformFrom(seedOf('crashes'))
  const { alpha } = budgetOf(ALPHA, HARM_METRICS)
  const eventsOf = (instances: number) => ({
    events: poisson(uniform, instances * CRASHES_PER_LOOK),
    exposure: instances,
  })
  const oneRun = (): number => {
    let state = newState()
    for (let look = 1; look <= LOOKS; look += 1) {
      state = addBatch(METRIC, state, {
        candidate: eventsOf(INSTANCES.candidate),
        stable: eventsOf(INSTANCES.stable),
      })
      if (verdictOf(METRIC, state, alpha).verdict === 'worse') return look
    }
    return Number.POSITIVE_INFINITY
  }
  return outcomeOf(Array.from({ length: runs }, oneRun))
}
