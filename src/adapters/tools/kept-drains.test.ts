import { expect, it } from 'vitest'
import { routesOf } from '../../proxy/proxy-process.test.kit.ts'
import { cutDrain, drainReport, drainsAfter, endedDrain } from './kept-drains.ts'

const active = routesOf([{ release: 'a', ports: [1, 2] }], 1)
const oneLeaves = routesOf([{ release: 'a', ports: [1], draining: [2] }], 2)
const gone = routesOf([{ release: 'a', ports: [1] }], 3)

it('begins a drain when an instance takes nothing new, or left the routes', () => {
  for (const after of [oneLeaves, gone]) {
    const [drain, ...rest] = drainsAfter([], { before: active, after, now: 50 })
    expect([drain?.instance.port, drain?.since, rest]).toEqual([2, 50, []])
  }
})

it('goes on with it over later changes, and ends it when the instance serves again', () => {
  const begun = drainsAfter([], { before: active, after: oneLeaves, now: 50 })
  const later = drainsAfter(begun, { before: oneLeaves, after: gone, now: 90 })
  expect(later).toEqual(begun)
  expect(drainsAfter(later, { before: gone, after: active, now: 99 })).toEqual([])
})

it('drains all instances of a service that is gone', () => {
  expect(drainsAfter([], { before: active, after: null, now: 1 })).toHaveLength(2)
})

it('reports how long it took and what was cut, and forgets it after ten minutes', () => {
  const begun = drainsAfter([], { before: active, after: gone, now: 1_000 })
  const cut = Array.from({ length: 120 }, () => ({ route: 'unknown', kind: 'request' as const, ageMs: 5 }))
  const ended = begun.map((drain) => endedDrain(cutDrain(drain, cut), 3_000))
  const [report] = ended.map((drain) => drainReport(drain, 9_000))
  expect(report).toMatchObject({ done: true, sinceMs: 2_000, cutTotal: 120 })
  expect(report?.cut).toHaveLength(100)
  expect(drainsAfter(ended, { before: gone, after: gone, now: 602_000 })).toHaveLength(1)
  expect(drainsAfter(ended, { before: gone, after: gone, now: 604_000 })).toEqual([])
})
