import { describe, expect, it } from 'vitest'
import { readKillers, readMutants } from './catalogue.ts'

const MUTANTS = readMutants()

describe('the mutants of test/mutants', () => {
  it('are at least 25, numbered without a gap, and each says in words what it breaks', () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(25)
    MUTANTS.forEach(({ name, patch }, index) => {
      expect(name).toMatch(new RegExp(`^${String(index + 1).padStart(2, '0')}-[a-z-]+$`))
      expect(patch.title, name).toMatch(/^[A-Z].{20,}\.$/)
      expect(patch.file, name).toMatch(/^src\/(core|engine|controller|adapters)\//)
    })
  })

  it('all fit the source as it is now', () => {
    const broken = MUTANTS.flatMap(({ name, mutated }) =>
      'why' in mutated ? [`${name}: ${mutated.why}`] : [],
    )
    expect(broken).toEqual([])
  })

  it('each have a seed that sees them, on record', () => {
    expect(Object.keys(readKillers())).toEqual(MUTANTS.map(({ name }) => name))
  })
})
