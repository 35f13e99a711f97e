import { expect, it } from 'vitest'
import { pointOf, spread, tail } from './row.ts'

it('takes min, median and max from the values themselves', () => {
  expect(spread([5, 1, 3]).map(({ value }) => value)).toEqual([1, 3, 5])
})

it('calls the largest of few values their 99th percentile', () => {
  const points = tail(Array.from({ length: 25 }, (_, at) => at + 1))
  expect(pointOf(points, 'p50')).toBe(13)
  expect(pointOf(points, 'p99')).toBe(25)
  expect(pointOf(points, 'max')).toBe(25)
})

it('takes the 99th percentile below the largest once there are more than 100 values', () => {
  expect(pointOf(tail(Array.from({ length: 200 }, (_, at) => at + 1)), 'p99')).toBe(198)
})
