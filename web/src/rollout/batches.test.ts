import { describe, expect, it } from 'vitest'
import { batchesOf } from './batches.ts'

const steps = (kinds: string, done: number) =>
  kinds.split(' ').map((kind, index) => ({
    index,
    label: kind,
    kind,
    state: index < done ? ('done' as const) : index === done ? ('active' as const) : ('planned' as const),
    weightPermille: null,
    plannedMs: null,
    startedAt: null,
    endedAt: null,
  }))
const BATCH = 'provision traffic shrink observe'
const THREE = `${BATCH} ${BATCH} provision traffic watch promote drain retire`

describe('batches', () => {
  it('are counted by the instances that start', () => {
    expect(batchesOf(steps(THREE, 0))).toEqual({ at: 1, total: 3 })
    expect(batchesOf(steps(THREE, 3))).toEqual({ at: 1, total: 3 })
    expect(batchesOf(steps(THREE, 4))).toEqual({ at: 2, total: 3 })
    expect(batchesOf(steps(THREE, 12))).toEqual({ at: 3, total: 3 })
  })

  it('stay at the one before while stable makes room for the next', () => {
    const first = 'shrink provision traffic shrink provision traffic watch'
    expect(batchesOf(steps(first, 0))).toEqual({ at: 1, total: 2 })
    expect(batchesOf(steps(first, 3))).toEqual({ at: 1, total: 2 })
    expect(batchesOf(steps(first, 4))).toEqual({ at: 2, total: 2 })
  })

  it('are none where a set stays whole', () => {
    expect(batchesOf(steps('provision traffic observe traffic watch promote drain retire', 2))).toBeNull()
  })
})
