import { expect, it } from 'vitest'
import { decisiveMoment, logEvidenceOf, momentOf, weigh } from './decisive-moment.ts'
import { Metric } from './metric.ts'
import { addBatch, newState } from './state.ts'

const metric = Metric.parse({ name: 'errors', kind: 'ratio' })
const batches = [
  { bad: 3, dispersion: 1 },
  { bad: 0, dispersion: 2.5 },
  { bad: 9, dispersion: 2 },
  { bad: 4, dispersion: 1 },
].map(({ bad, dispersion }, index) => ({
  candidate: { bad, total: 200 + index },
  stable: { bad: 1, total: 900 },
  dispersion,
}))

it('weighs batches that were divided differently as the state added them', () => {
  const state = batches.reduce(
    (before, { dispersion, ...batch }) => addBatch({ ...metric, dispersion }, before, batch),
    newState(),
  )
  const { cells } = momentOf(metric, batches)
  const evidence = logEvidenceOf(
    weigh(metric, cells, metric.tolerance.ratio),
    ({ x: [x = 0], y: [y = 0], cost }) => [x - y - (metric.tolerance.points / 100) * cost],
  )
  expect(evidence).toBeCloseTo(state.peak, 10)
})

it('is the highest evidence of a worse one, and everything while nothing is decided', () => {
  const good = { candidate: { bad: 0, total: 5000 }, stable: { bad: 20, total: 5000 } }
  const plain = batches.map(({ candidate, stable }) => ({ candidate, stable }))
  expect(decisiveMoment(metric, [...plain, good], 0.01).cells).toHaveLength(4)
  expect(decisiveMoment(metric, [...plain, good], 1e-9).cells).toHaveLength(5)
})
