import fc from 'fast-check'
import { expect, it } from 'vitest'
import { OPERATIONS } from '../operations/list.ts'
import { anyJson } from '../testkit/damage.test.kit.ts'
import { parseInput } from './parse-input.ts'
import { isDeeperThan } from './read-json.ts'

/** An input with the right names and anything behind them. */
const inputOf = (names: readonly string[]) =>
  fc.oneof(anyJson, fc.dictionary(fc.constantFrom(...names, 'other'), anyJson))

it.each(OPERATIONS.map(({ name, input }) => [name, input] as const))(
  'the input of %s is read, or refused with path, cause and remedy',
  (_, input) => {
    const names = 'shape' in input && typeof input.shape === 'object' ? Object.keys(input.shape ?? {}) : []
    fc.assert(
      fc.property(inputOf(names), (value) => {
        const read = parseInput(input, value)
        if (read.kind === 'ok') return
        expect(read.problem.problems.length).toBeGreaterThan(0)
        for (const { code, message, remedy, path } of read.problem.problems) {
          expect(code).toBe('INPUT_INVALID')
          expect([typeof message, typeof remedy, typeof path]).toEqual(['string', 'string', 'string'])
        }
      }),
      { numRuns: 30 },
    )
  },
)

it('depth is measured of any value', () => {
  fc.assert(
    fc.property(anyJson, (value) => {
      expect(isDeeperThan(value, 1000)).toBe(false)
    }),
  )
})
