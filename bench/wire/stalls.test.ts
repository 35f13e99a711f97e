import { expect, it } from 'vitest'
import { undisturbed } from './stalls.ts'

const stall = { fromMs: 100, toMs: 110 }

it('leaves out what was under way or due in a stall, or as long again after it', () => {
  const requests = [99, 105, 119].map((atMs) => ({ atMs, tookMs: 2 }))
  expect(undisturbed(requests, [stall])).toEqual([])
})

it('keeps what was over before a stall and what was due after its shadow, however long it took', () => {
  const requests = [
    { atMs: 90, tookMs: 3 },
    { atMs: 121, tookMs: 40 },
  ]
  expect(undisturbed(requests, [stall])).toEqual([3, 40])
})
