import { expect, it } from 'vitest'
import { formatCountdown, formatDuration } from './duration.ts'

it.each([
  [null, '–'],
  [-5, '0ms'],
  [0, '0ms'],
  [320.4, '320ms'],
  [1000, '1s'],
  [4260, '4.2s'],
  [9999, '9.9s'],
  [42_900, '42s'],
  [60_000, '1m'],
  [90_000, '1m 30s'],
  [3_600_000, '1h'],
  [7_500_000, '2h 5m'],
  [100 * 3_600_000, '4d 4h'],
])('writes %j ms as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})

it.each([
  [-1, '0s'],
  [1, '1s'],
  [4200, '5s'],
  [59_001, '1m'],
])('counts %j ms down as %s', (ms, text) => {
  expect(formatCountdown(ms)).toBe(text)
})
