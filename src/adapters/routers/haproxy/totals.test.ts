import { expect, it } from 'vitest'
import { Totals } from './totals.ts'
import { Worker } from './worker.ts'

const sight = (workers: Record<number, number>, current = 0) => {
  const seen = Object.entries(workers).map(([pid, total]) => ({
    worker: new Worker(() => Promise.reject(new Error('not asked')), Number(pid)),
    stats: {
      frontends: [],
      backends: [],
      servers: [{ backend: 's1_0', name: 'i1', address: '', isUp: true, weight: 1, current, total }],
    },
  }))
  const [first, ...old] = seen
  if (first === undefined) throw new Error('no worker')
  return { current: first, old }
}
const told = (pid: number, retries = 0) => ({ pid, frontend: 's1', server: 'i1', retries })
const missing = (totals: Totals) => totals.missing(totals.over()).get('s1')

it('finds nothing missing while each request was told, and none of what came before it listened', () => {
  const totals = new Totals()
  totals.see(sight({ 1: 500 }))
  for (let turn = 0; turn < 10; turn += 1) totals.told(told(1))
  totals.see(sight({ 1: 510 }))
  expect(missing(totals)).toBe(0)
})

it('holds what was over at one moment against what was told later: a line may be on its way', () => {
  const totals = new Totals()
  totals.see(sight({ 1: 0 }))
  totals.see(sight({ 1: 3 }))
  const over = totals.over()
  totals.told(told(1))
  // Somebody else looks meanwhile.
  totals.see(sight({ 1: 8 }))
  expect(totals.missing(over).get('s1')).toBe(2)
  for (let turn = 0; turn < 2; turn += 1) totals.told(told(1))
  expect(totals.missing(over).get('s1')).toBe(0)
})

it('does not miss what is still under way, and counts each attempt', () => {
  const totals = new Totals()
  totals.see(sight({ 1: 0 }))
  totals.told(told(1, 2))
  totals.see(sight({ 1: 5 }, 2))
  expect(missing(totals)).toBe(0)
})

it('goes on over a reload: a new worker counts from zero, and what the old one had last is remembered', () => {
  const totals = new Totals()
  totals.see(sight({ 1: 0 }))
  totals.see(sight({ 2: 4, 1: 6 }))
  expect(missing(totals)).toBe(10)
  totals.see(sight({ 2: 4 }))
  expect(missing(totals)).toBe(10)
  for (let turn = 0; turn < 6; turn += 1) totals.told(told(1))
  expect(missing(totals)).toBe(4)
})

it('misses nothing of a request whose line came before HAProxy had it for over, also at the first look', () => {
  const totals = new Totals()
  for (let turn = 0; turn < 10; turn += 1) totals.told(told(1))
  totals.see(sight({ 1: 10 }, 1))
  for (let look = 0; look < 2; look += 1) totals.see(sight({ 1: 10 }))
  expect(missing(totals)).toBe(0)
  for (let look = 0; look < 2; look += 1) totals.see(sight({ 1: 13 }))
  expect(missing(totals)).toBe(3)
})
