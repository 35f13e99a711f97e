import { expect, it } from 'vitest'
import { parseCatalogue, readCatalogue } from './errors.ts'

it('a line that is not complete is refused', () => {
  expect(() => parseCatalogue('## Area\nCODE | meaning\n')).toThrow('CODE | meaning | remedy')
  expect(() => parseCatalogue('## Area\nCODE | a | b | c\n')).toThrow('CODE | meaning | remedy')
})

it('every code stands once, in order within its area, with a sentence for meaning and remedy', () => {
  const areas = readCatalogue()
  const codes = areas.flatMap(({ entries }) => entries.map(({ code }) => code))
  expect(new Set(codes).size).toBe(codes.length)
  for (const { title, entries } of areas) {
    const own = entries.map(({ code }) => code)
    expect(own, title).toEqual(own.toSorted())
    for (const { code, meaning, remedy } of entries) {
      expect(code).toMatch(/^[A-Z][A-Z0-9_]*$/)
      expect(`${meaning} ${remedy}`, code).toMatch(/^[A-Z].*\. .*\.$/i)
    }
  }
})
