import { expect, it } from 'vitest'
import { withoutWarmUp } from './warm-up.ts'

const batch = (sinceAt: number, at: number) => ({ sinceAt, at })

it('leaves out batches that overlap the time after a change of weight', () => {
  const batches = [batch(80, 90), batch(90, 100), batch(100, 110), batch(125, 135), batch(130, 140)]
  expect(withoutWarmUp(batches, [100], 30)).toEqual([batch(80, 90), batch(90, 100), batch(130, 140)])
  expect(withoutWarmUp(batches, [], 30)).toEqual(batches)
  expect(withoutWarmUp([batch(95, 105)], [100], 0)).toEqual([])
})

it('keeps batches that do not say when they were counted', () => {
  expect(withoutWarmUp([{}], [100], 30)).toEqual([{}])
})
