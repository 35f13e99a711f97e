import { expect, it } from 'vitest'
import { readCatalogue } from '../../scripts/generators/errors.ts'
import { codesOf } from './codes.ts'
import { sourcesBelow } from './sources.ts'

/** Codes of fakes and simulators are seen by tests only. */
const isFake = (path: string): boolean => /^src\/testkit\/(?!load\/)/.test(path)
const uses = sourcesBelow('src')
  .filter(({ isTest, path }) => !isTest && !isFake(path))
  .flatMap(codesOf)
const used = new Set(uses.map(({ code }) => code))
const listed = new Set(readCatalogue().flatMap(({ entries }) => entries.map(({ code }) => code)))

it('codes were found in the source', () => {
  expect(used.size).toBeGreaterThan(150)
})

it('every code that is given out is in the catalogue', () => {
  expect(
    uses.filter(({ code }) => !listed.has(code)).map(({ code, place }) => `${code} at ${place}`),
  ).toEqual([])
})

it('every code of the catalogue is still given out', () => {
  expect([...listed].filter((code) => !used.has(code))).toEqual([])
})
