import { expect, test } from 'vitest'
import { didYouMean, listed, nearestOf } from './nearest.ts'

test('finds the word with a missing, wrong or swapped letter', () => {
  const known = ['replicas', 'secrets', 'command']
  expect(nearestOf('replcas', known)).toBe('replicas')
  expect(nearestOf('comand', known)).toBe('command')
  expect(nearestOf('Secrets', known)).toBe('secrets')
})

test('finds nothing when no word is near', () => {
  expect(nearestOf('database', ['replicas', 'secrets'])).toBeNull()
  expect(nearestOf('ab', ['xyz'])).toBeNull()
  expect(nearestOf('c', ['a'])).toBeNull()
  expect(nearestOf('x'.repeat(10_000), ['x'.repeat(9999)])).toBeNull()
})

test('lists the known words for people', () => {
  expect(listed(['a', 'b', 'c'])).toBe('"a", "b" and "c"')
  expect(listed([])).toBe('nothing')
  expect(didYouMean('watc', ['watch', 'hold'])).toBe('Did you mean "watch"? Known here: "hold" and "watch".')
})
