import { describe, expect, it } from 'vitest'
import { newLines } from './new-lines.ts'

const lines = (instance: string, ...texts: string[]) =>
  texts.map((line) => ({ instance, release: 'r', line }))

describe('following logs', () => {
  it('tells only what came after the last answer, for each instance by itself', () => {
    const before = [...lines('a', '1', '2', '3'), ...lines('b', 'x')]
    const after = [...lines('a', '2', '3', '4'), ...lines('b', 'x', 'y')]
    expect(newLines(before, after).map(({ line }) => line)).toEqual(['4', 'y'])
  })

  it('tells everything of a new instance, and repeated lines once more', () => {
    expect(newLines([], lines('a', '1', '1'))).toHaveLength(2)
    expect(newLines(lines('a', '1'), lines('a', '1', '1'))).toHaveLength(1)
  })

  it('tells everything when nothing overlaps: more was written than one answer holds', () => {
    expect(newLines(lines('a', '1', '2'), lines('a', '8', '9'))).toHaveLength(2)
  })
})
