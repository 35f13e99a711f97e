import { expect, it } from 'vitest'
import { asSentence, capital, says } from './sentence.ts'

it('makes a sentence of a part of one', () => {
  expect(asSentence('no rollout is in progress')).toBe('No rollout is in progress.')
  expect(asSentence('Done.')).toBe('Done.')
  expect(capital('')).toBe('')
})

it('notices what was said already', () => {
  expect(says('shop 1.1.0: rolled back. Error rate was 10%.', 'error rate was 10%')).toBe(true)
  expect(says('shop 1.1.0: rolled back.', 'error rate was 10%')).toBe(false)
})
