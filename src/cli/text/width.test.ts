import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fitLine, paintLine, span, strong, widthOfLine } from './line.ts'
import { cut, pad, printable, widthOf, wrap } from './width.ts'

const anyText = fc.string({ unit: 'grapheme', maxLength: 60 }).map(printable)

describe('text of a certain width', () => {
  it('is cut with an ellipsis and never wider than asked', () => {
    expect(cut('candidate', 5)).toBe('cand…')
    expect(cut('日本語です', 5)).toBe('日本…')
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 40 }), (text, columns) => {
        expect(widthOf(cut(text, columns))).toBeLessThanOrEqual(columns)
      }),
    )
  })

  it('is filled to exactly the columns', () => {
    expect(pad('5%', 4)).toBe('5%  ')
    expect(pad('5%', 4, 'right')).toBe('  5%')
  })

  it('is wrapped at spaces, long words are broken, the last line allowed is cut', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
    expect(wrap('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij'])
    expect(wrap('one two three four', 7, 2)).toEqual(['one two', 'three …'])
    fc.assert(
      fc.property(anyText, fc.integer({ min: 2, max: 40 }), (text, columns) => {
        for (const line of wrap(text, columns)) expect(widthOf(line)).toBeLessThanOrEqual(columns)
      }),
    )
  })

  it('is fitted over several spans', () => {
    const line = [strong('weight '), span('25% '), span('confirmed')]
    expect(paintLine(fitLine(line, 13), false)).toBe('weight 25% c…')
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 6 }), fc.integer({ min: 1, max: 60 }), (texts, columns) => {
        expect(
          widthOfLine(
            fitLine(
              texts.map((text) => span(text)),
              columns,
            ),
          ),
        ).toBeLessThanOrEqual(columns)
      }),
    )
  })

  it('loses escape sequences and control characters', () => {
    expect(printable('\u001b[31mred\u001b[0m\ttab\u0007')).toBe('red tab ')
    expect(printable('\u001b]8;;http://evil\u0007link')).toBe('link')
  })
})
