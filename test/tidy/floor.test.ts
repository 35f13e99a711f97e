import { expect, test } from 'vitest'
import { textOf } from './sources.ts'

test('the tests run on Node 22.19 or newer, and not on an older Node of the system', () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  expect(major > 22 || (major === 22 && minor >= 19), `this is Node ${process.version}`).toBe(true)
})

test('package.json and the check at start name the same floor', () => {
  expect(JSON.parse(textOf('package.json'))).toMatchObject({ engines: { node: '>=22.19.0' } })
  expect(textOf('src/main.ts')).toContain('const FLOOR = [22, 19] as const')
})
