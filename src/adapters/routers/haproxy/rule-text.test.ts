import { expect, it } from 'vitest'
import { conditionOf, whyNot } from './rule-text.ts'

it('compares values as digits, so that none means anything in a configuration', () => {
  const match = { kind: 'exact', in: 'header', name: 'x-a', value: '} #"\\\'\n$' } as const
  expect(conditionOf(match)).toBe('{ req.fhdr_cnt(x-a) eq 1 } { req.fhdr(x-a),hex -m str 7D2023225C270A24 }')
})

it('finds the pieces of a pattern from left to right, each once, in whole bytes', () => {
  const match = { kind: 'pattern', in: 'cookie', name: 'c', pattern: 'a**b*c' } as const
  expect(conditionOf(match)).toBe(
    '{ req.cook_cnt(c) eq 1 } { req.cook(c),length le 1024 } { req.cook(c),hex -m reg ^61(?>(?:..)*?62)(?:..)*63$ }',
  )
})

it('takes a pattern without a star, and an empty value, by the word', () => {
  const place = { in: 'header', name: 'x' } as const
  expect(conditionOf({ kind: 'pattern', ...place, pattern: 'a' })).toBe(
    conditionOf({ kind: 'exact', ...place, value: 'a' }),
  )
  expect(conditionOf({ kind: 'exact', ...place, value: '' })).toContain('length eq 0')
})

it('never matches what no header can hold', () => {
  const place = { in: 'header', name: 'x' } as const
  expect(conditionOf({ kind: 'exact', ...place, value: '\u2603' })).toContain('always_false')
  expect(conditionOf({ kind: 'pattern', ...place, pattern: '*\u2603' })).toContain('^(?!)')
})

it('refuses names that could mean something in a configuration', () => {
  const named = (name: string) => whyNot({ kind: 'exact', in: 'cookie', name, value: '' })
  expect(['tester', 'X-Team', 'a.b_c'].map(named)).toEqual([null, null, null])
  for (const name of ['a b', 'a)', 'a#', "a'", 'a$', 'a,b', 'a\nb', ''])
    expect(named(name)).toContain('letters')
})
