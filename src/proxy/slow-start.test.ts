import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RouteInstance, RouteSet } from '../core/shared/routes.ts'
import { newcomers, warmth } from './slow-start.ts'

describe('the weight of an instance', () => {
  const ms = fc.integer({ min: 0, max: 10_000_000 })

  it('grows with time, evenly, and ends at that of a full one', () => {
    expect([0, 5_000, 10_000, 20_000, 30_000].map((at) => warmth(at, 20_000))).toEqual([
      0.01, 0.25, 0.5, 1, 1,
    ])
    fc.assert(
      fc.property(ms, ms, ms, (slowStartMs, one, other) => {
        const [early, late] = [Math.min(one, other), Math.max(one, other)]
        expect(warmth(late, slowStartMs)).toBeGreaterThanOrEqual(warmth(early, slowStartMs))
        expect(warmth(slowStartMs + late, slowStartMs)).toBe(1)
      }),
    )
  })

  it('is never nothing and never more than full', () => {
    fc.assert(
      fc.property(ms, ms, (slowStartMs, at) => {
        expect(warmth(at, slowStartMs)).toBeGreaterThan(0)
        expect(warmth(at, slowStartMs)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('is full at once without a slow start', () => {
    expect(warmth(0, 0)).toBe(1)
  })
})

/** Instances by their port; a negative port is one that drains. */
const set = (release: string, weightPermille: number, ports: number[]): RouteSet => ({
  release,
  version: release,
  weightPermille,
  instances: ports.map(
    (port): RouteInstance => ({
      id: 'i',
      host: 'h',
      port: Math.abs(port),
      state: port > 0 ? 'active' : 'draining',
    }),
  ),
})
const portsOf = (before: RouteSet[], after: RouteSet[]) =>
  [...newcomers(before, after)].map((key) => Number(key.split(' ').at(-1)))

describe('who starts slowly', () => {
  it('an instance that joins others which carry traffic', () => {
    expect(portsOf([set('a', 1_000, [1, 2])], [set('a', 1_000, [1, 2, 3])])).toEqual([3])
    expect(portsOf([set('a', 1_000, [1, -2])], [set('a', 1_000, [1, 2])])).toEqual([2])
  })

  it('nobody when all are new at once', () => {
    expect(portsOf([], [set('a', 1_000, [1, 2, 3])])).toEqual([])
    expect(portsOf([set('a', 1_000, [1])], [set('a', 950, [1]), set('b', 50, [2, 3])])).toEqual([])
  })

  it('nobody in a set that had no traffic, whatever it looked like before', () => {
    expect(
      portsOf([set('a', 1_000, [1]), set('b', 0, [2])], [set('a', 950, [1]), set('b', 50, [2, 3])]),
    ).toEqual([])
  })

  it('nobody in a set that has no traffic now', () => {
    expect(
      portsOf([set('a', 1_000, [1]), set('b', 0, [2])], [set('a', 1_000, [1]), set('b', 0, [2, 3])]),
    ).toEqual([])
  })

  it('nobody when those that carried traffic before are all gone: somebody must take it', () => {
    expect(portsOf([set('a', 1_000, [1, 2])], [set('a', 1_000, [3, 4, -1])])).toEqual([])
  })

  it('never a whole set', () => {
    const some = fc
      .uniqueArray(fc.integer({ min: 1, max: 6 }))
      .map((ports) => ports.map((port) => (port % 3 === 0 ? -port : port)))
    const sets = fc
      .tuple(fc.constantFrom(0, 500, 1_000), some)
      .map(([weight, ports]) => [set('a', weight, ports)])
    fc.assert(
      fc.property(sets, sets, (before, after) => {
        const active = after.flatMap(({ instances }) => instances.filter(({ state }) => state === 'active'))
        expect(portsOf(before, after).length).toBeLessThan(Math.max(1, active.length))
      }),
    )
  })
})
