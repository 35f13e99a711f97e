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

it('finds nothing missing while each request was told, and none of what came before it listened', () => {
  const totals = new Totals()
  totals.see(sight({ 1: 500 }))
  for (let turn = 0; turn < 10; turn += 1) totals.told(told(1))
  totals.see(sight({ 1: 510 }))
  totals.see(sight({ 1: 510 }))
  expect(totals.missing('s1')).toBe(0)
})

it('waits for a second look before a request counts as missing: its line may be on its way', () => {
  const totals = new Totals()
  totals.see(sight({ 1: 0 }))
  totals.see(sight({ 1: 3 }))
  expect(totals.missing('s1')).toBe(0)
  totals.told(told(1))
  totals.see(sight({ 1: 3 }))
  expect(totals.missing('s1')).toBe(2)
})

it('does not miss what is still under way, and counts each attempt', () => {
  const totals = new Totals()
  totals.see(sight({ 1: 0 }))
  totals.told(told(1, 2))
  for (let look = 0; look < 2; look += 1) totals.see(sight({ 1: 5 }, 2))
  expect(totals.missing('s1')).toBe(0)
})

it('goes on over a reload: a new worker counts from zero, and the old one is asked as long as it lives', () => {
  const totals = new Totals()
  totals.see(sight({ 1: 0 }))
  for (let look = 0; look < 2; look += 1) totals.see(sight({ 2: 4, 1: 6 }))
  expect(totals.missing('s1')).toBe(10)
  for (let look = 0; look < 2; look += 1) totals.see(sight({ 2: 4 }))
  expect(totals.missing('s1')).toBe(10)
})
