import { expect, it } from 'vitest'
import { asSentence, capital, says, splitSentence } from './sentence.ts'

it('makes a sentence of a part of one', () => {
  expect(asSentence('no rollout is in progress')).toBe('No rollout is in progress.')
  expect(asSentence('Done.')).toBe('Done.')
  expect(capital('')).toBe('')
})

it('takes the first sentence for the headline', () => {
  expect(splitSentence('shop 1.2.0 in local: rolled back. Errors were 2.6%. So it went back.')).toEqual({
    first: 'shop 1.2.0 in local: rolled back.',
    rest: 'Errors were 2.6%. So it went back.',
  })
  expect(splitSentence('shop 1.1.0 in local: step 5 of 12')).toEqual({
    first: 'shop 1.1.0 in local: step 5 of 12',
    rest: '',
  })
})

it('notices what was said already', () => {
  expect(says('shop 1.1.0: rolled back. Error rate was 10%.', 'error rate was 10%')).toBe(true)
  expect(says('shop 1.1.0: rolled back.', 'error rate was 10%')).toBe(false)
})
