import { expect, it } from 'vitest'
import { formatCount, formatMeasure, formatNoun, formatWeight } from './amount.ts'

it('writes weights as percent and keeps what is unknown apart from zero', () => {
  expect([250, 5, 1000, 0, null].map(formatWeight)).toEqual(['25%', '0.5%', '100%', '0%', '–'])
})

it('groups the digits of counts', () => {
  expect([0, 312, 12_412, null].map(formatCount)).toEqual(['0', '312', '12,412', '–'])
})

it('puts nouns in the plural unless there is one', () => {
  expect([0, 1, 1200].map((count) => formatNoun(count, 'request'))).toEqual([
    '0 requests',
    '1 request',
    '1,200 requests',
  ])
})

it('writes measures with as many digits as matter', () => {
  expect([0, 0.0344, 3.444, 34.44, 1234.5, null, undefined].map(formatMeasure)).toEqual([
    '0',
    '0.034',
    '3.44',
    '34.4',
    '1,235',
    '–',
    '–',
  ])
})
