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

  it('is left out when any of them leaves it out, and told by our own word first', () => {
    const [ours, theirs] = ['5 × reset', '5 × 5xx'].map((why) => ({ since: 1, until: 2, times: 1, why }))
    const out = (ejected: typeof ours) => (ejected === undefined ? {} : { ejected })
    const sum = (now: typeof ours, old: typeof ours) =>
      addTraffic([instance('a', out(now))], [instance('a', out(old))])[0]?.ejected
    expect([
      sum(undefined, undefined),
      sum(undefined, theirs),
      sum(ours, undefined),
      sum(ours, theirs),
    ]).toEqual([undefined, theirs, ours, ours])
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

  it('is not hidden by what an instance did before it left and came back', () => {
    const before = instance('a', { drain: drain(true, 3) })
    const now = (inFlight: number) => instance('a', { inFlight })
    expect(addTraffic([now(1), before], [now(4), before])).toEqual([
      now(5),
      instance('a', { drain: { ...drain(true, 3), cutTotal: 6 } }),
    ])
    // Only one of them has seen it leave.
    expect(addTraffic([now(1), before], [now(4)])).toEqual([now(5), before])
    expect(addTraffic([now(1)], [now(4), before])).toEqual([now(5), before])
    expect(addTraffic([now(1)], [before])).toEqual([now(1), before])
  })

  it('is under way until the last one is done, also where the other has forgotten it', () => {
    const busy = instance('a', { inFlight: 2, drain: drain(false) })
    const done = instance('a', { drain: drain(true) })
    expect(addTraffic([done], [busy])).toEqual([busy])
    expect(addTraffic([busy], [done])).toEqual([busy])
  })
})
