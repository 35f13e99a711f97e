import { expect, it } from 'vitest'
import { METRIC_PLACEHOLDERS } from '../../../core/shared/metric-template.ts'
import { numberParameters } from './named-parameters.ts'

const numbered = (text: string) => numberParameters(text, METRIC_PLACEHOLDERS, (index) => `$${index}`)

it('numbers each use of a parameter', () => {
  expect(numbered('a = :version AND b >= :from AND c = :version')).toEqual({
    text: 'a = $1 AND b >= $2 AND c = $3',
    names: ['version', 'from', 'version'],
    unknown: [],
  })
})

it.each([
  "'it''s :version'",
  `":version"`,
  "E'\\':version'",
  '-- :version',
  '/* :version */',
  '$$ :version $$',
  '$body$ :version $$ :from $body$',
  'now()::text',
])('leaves alone what only looks like one: %s', (text) => {
  expect(numbered(text)).toEqual({ text, names: [], unknown: [] })
})

it('names those that nobody fills', () => {
  expect(numbered('a = :verison').unknown).toEqual(['verison'])
})
