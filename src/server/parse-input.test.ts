import { expect, it } from 'vitest'
import * as z from 'zod'
import { nearest, parseInput } from './parse-input.ts'
import { isDeeperThan } from './read-json.ts'

const Input = z.object({ service: z.string().exactOptional(), limit: z.int().exactOptional() })

it('returns what the schema reads', () => {
  expect(parseInput(Input, { service: 'shop' })).toEqual({ kind: 'ok', value: { service: 'shop' } })
})

it('refuses an unknown key and names the nearest one, even when the schema would drop it', () => {
  const read = parseInput(Input, { servce: 'shop' })
  expect(read).toMatchObject({
    kind: 'failed',
    problem: { code: 'INPUT_INVALID', path: 'servce', remedy: 'Did you mean "service"?' },
  })
})

it('reports every wrong field with its path and cause', () => {
  const read = parseInput(Input, { service: 1, limit: 'x' })
  if (read.kind === 'ok') throw new Error('must be refused')
  expect(read.problem.problems.map((one) => one.path)).toEqual(['service', 'limit'])
  expect(read.problem.cause).toContain('expected string')
})

it('reports a strict schema once per unknown key', () => {
  const read = parseInput(z.strictObject({ id: z.string() }), { id: 'a', idd: 'b' })
  expect(read).toMatchObject({ kind: 'failed', problem: { problems: [{ path: 'idd' }] } })
})

it('refuses an input that is no object', () => {
  expect(parseInput(Input, [])).toMatchObject({
    kind: 'failed',
    problem: { code: 'INPUT_INVALID', path: '' },
  })
})

it('offers no name when none is near', () => {
  expect(nearest('xyz', ['promote', 'abort'])).toBeNull()
  expect(nearest('promot', ['promote', 'abort'])).toBe('promote')
})

it('measures depth without recursion', () => {
  const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000))
  expect(isDeeperThan(deep, 32)).toBe(true)
  expect(isDeeperThan({ a: { b: [1] } }, 32)).toBe(false)
})
