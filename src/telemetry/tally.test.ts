import { expect, it } from 'vitest'
import { createTally } from './tally.ts'

it('counts by labels, and what was read does not change later', () => {
  const tally = createTally('controller')
  tally.count('sluice_drift_total', { stream: 'a', cause: 'edited' })
  tally.count('sluice_drift_total', { stream: 'a', cause: 'edited' }, 2)
  tally.count('sluice_drift_total', { stream: 'b', cause: 'lost' })
  const before = tally.samples()
  tally.count('sluice_drift_total', { stream: 'a', cause: 'edited' })
  expect(before).toEqual([
    { name: 'sluice_drift_total', labels: { stream: 'a', cause: 'edited' }, value: 3 },
    { name: 'sluice_drift_total', labels: { stream: 'b', cause: 'lost' }, value: 1 },
  ])
})

it('puts a value into the first bucket whose bound it does not exceed', () => {
  const tally = createTally('controller')
  for (const seconds of [0, 0.1, 0.11, 600, 601])
    tally.observe('sluice_rollback_duration_seconds', {}, seconds)
  const [first] = tally.samples()
  expect(first?.value).toEqual({
    buckets: [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
    sum: expect.closeTo(1201.21),
  })
})
