import { expect, test } from 'vitest'
import { SCENARIOS } from './scenarios/catalogue.ts'
import { proofsIn, scenarioFiles } from './scenarios.ts'

test('finds the ids in the titles of tests, and only there', () => {
  const text = `// S99 stands in a comment
    it('returns traffic (S79, INV2)', () => {})
    describe("of a rollout (S82)", () => {})
    it.each([1])(\`says S141\`, () => {})`
  expect(proofsIn('a.test.ts', text).map(({ id }) => id)).toEqual(['S79', 'INV2', 'S82', 'S141'])
})

test('lists every scenario once, with its tests or without', async () => {
  const [file] = scenarioFiles
  const content = (await file?.content()) ?? ''
  const rows = [...content.matchAll(/^\| (S\d+|INV\d+) \|/gm)].map(([, id]) => id)
  expect(rows).toEqual(SCENARIOS.map(({ id }) => id))
  expect(content).toMatch(/\d+ of \d+ have a test that names them/)
})
