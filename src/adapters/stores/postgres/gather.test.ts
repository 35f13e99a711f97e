import { describe, expect, it } from 'vitest'
import { createGatherer } from './gather.ts'

function gatherer() {
  const asked: number[][] = []
  const double = createGatherer(async (keys: readonly number[]) => {
    asked.push([...keys])
    if (keys.includes(13)) throw new Error('no answer')
    return keys.map((key) => key * 2)
  })
  return { asked, double }
}

describe('questions that are gathered', () => {
  it('asks the first at once and those that follow closely together', async () => {
    const { asked, double } = gatherer()
    expect(await Promise.all([1, 2, 3].map(double))).toEqual([2, 4, 6])
    expect(asked).toEqual([[1], [2, 3]])
  })

  it('never gives an answer of before the question: who asks while a statement is under way gets the next', async () => {
    const { asked, double } = gatherer()
    const first = double(1)
    const second = double(1)
    expect(await Promise.all([first, second])).toEqual([2, 2])
    expect(asked).toEqual([[1], [1]])
  })

  it('asks for very many in several statements', async () => {
    const { asked, double } = gatherer()
    const keys = Array.from({ length: 1201 }, (_, index) => index + 100)
    expect(await Promise.all(keys.map(double))).toEqual(keys.map((key) => key * 2))
    expect(asked.map(({ length }) => length)).toEqual([1, 500, 500, 200])
  })

  it('tells all of one statement when it fails, and answers the next ones', async () => {
    const { double } = gatherer()
    await double(1)
    const failed = await Promise.allSettled([double(13), double(2)])
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await double(4)).toBe(8)
  })
})
