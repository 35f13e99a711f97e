import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fitsPattern } from './pattern.ts'

describe('pattern', () => {
  it.each([
    ['qa-*', 'qa-', true],
    ['qa-*', 'qa-7', true],
    ['qa-*', 'xqa-7', false],
    ['*@example.com', 'ada@example.com', true],
    ['*@example.com', 'ada@example.com.evil', false],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['a*a', 'a', false],
    ['ab*ba', 'aba', false],
    ['*', '', true],
    ['**', 'x', true],
    ['yes', 'yes', true],
    ['yes', 'yes!', false],
    ['a.c', 'abc', false],
  ])('%s and %s: %s', (pattern, text, fits) => {
    expect(fitsPattern(pattern, text)).toBe(fits)
  })

  it('says what the same regular expression says', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
    const texts = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
    fc.assert(
      fc.property(letters, texts, (pattern, text) => {
        const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text)
        expect(fitsPattern(pattern, text)).toBe(expected)
      }),
    )
  })

  it('stays quick with values that are made to be slow', () => {
    const started = performance.now()
    for (let turn = 0; turn < 1000; turn += 1) fitsPattern('*a*a*a*a*a*a*a*a*b', 'a'.repeat(1024))
    expect(performance.now() - started).toBeLessThan(1000)
    expect(fitsPattern('*', 'a'.repeat(1025))).toBe(false)
  })
})
