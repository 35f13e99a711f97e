import { describe, expect, it } from 'vitest'
import type { InstanceTraffic } from '../../core/shared/router-state.ts'
import { addTraffic } from './add-traffic.ts'

const instance = (id: string, more: Partial<InstanceTraffic> = {}): InstanceTraffic => ({
  id,
  release: 'v1',
  inFlight: 0,
  websockets: 0,
  drain: null,
  ...more,
})
const drain = (done: boolean, cutTotal = 0) => ({ done, sinceMs: cutTotal + 5, cut: [], cutTotal })

describe('what instances do for two processes', () => {
  it('is the sum for each, and those that only one of them knows are there, too', () => {
    expect(
      addTraffic(
        [instance('a', { inFlight: 1 }), instance('b', { websockets: 2 })],
        [instance('b', { inFlight: 3, websockets: 4 }), instance('gone', { inFlight: 1 })],
      ),
    ).toEqual([
      instance('a', { inFlight: 1 }),
      instance('b', { inFlight: 3, websockets: 6 }),
      instance('gone', { inFlight: 1 }),
    ])
  })

  it('is told apart by release: two may use the same name', () => {
    const other = instance('a', { release: 'v2', inFlight: 1 })
    expect(addTraffic([instance('a')], [other])).toEqual([instance('a'), other])
  })

  it.each([
    [true, true, true],
    [true, false, false],
    [false, true, false],
    [false, false, false],
  ])('is drained only when both say so (%s and %s: %s)', (own, before, done) => {
    const [sum] = addTraffic(
      [instance('a', { drain: drain(own, 1) })],
      [instance('a', { drain: drain(before, 2) })],
    )
    expect(sum?.drain).toEqual({ done, sinceMs: 7, cut: [], cutTotal: 3 })
  })

  it('is the drain of the one that drains', () => {
    const draining = instance('a', { drain: drain(false) })
    expect(addTraffic([instance('a')], [draining])).toEqual([draining])
    expect(addTraffic([draining], [instance('a')])).toEqual([draining])
  })
})
