import { describe, expect, test } from 'vitest'
import { mergeKeys } from './merge.ts'

describe('merge keys', () => {
  test('give way to what a block says itself, and the first one wins', () => {
    const a = { x: 1, y: 1, deep: { k: 1 } }
    const b = { y: 2, z: 2 }
    expect(mergeKeys({ one: { '<<': [a, b], x: 0 }, two: { '<<': a } })).toEqual({
      kind: 'ok',
      value: { one: { x: 0, y: 1, z: 2, deep: { k: 1 } }, two: { x: 1, y: 1, deep: { k: 1 } } },
    })
  })

  test('do not touch the prototype of anything', () => {
    const hostile = JSON.parse(
      '{"__proto__": {"owned": true}, "constructor": {"prototype": {"owned": true}}}',
    )
    const merged = mergeKeys({ service: { '<<': hostile } })
    expect(JSON.stringify(merged)).toContain('owned')
    expect(Object.hasOwn(Object.prototype, 'owned')).toBe(false)
  })

  test('are refused when they hold themselves, lie too deep or grow without end', () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = [cycle]
    expect(mergeKeys(cycle)).toEqual({ kind: 'failed', problem: 'cycle' })
    let deep: unknown = 1
    for (let level = 0; level < 100; level += 1) deep = { deep }
    expect(mergeKeys(deep)).toEqual({ kind: 'failed', problem: 'depth' })
    let bomb: unknown = ['x']
    for (let level = 0; level < 12; level += 1) bomb = Array.from({ length: 9 }, () => bomb)
    expect(mergeKeys({ bomb })).toEqual({ kind: 'failed', problem: 'size' })
    let merges: Record<string, unknown> = { x: 1 }
    for (let level = 0; level < 12; level += 1)
      merges = { [`k${level}`]: 1, '<<': Array.from({ length: 9 }, () => merges) }
    expect(mergeKeys(merges)).toEqual({ kind: 'failed', problem: 'size' })
    const shared = { deep: deepOf(30) }
    expect(mergeKeys({ shared, again: deepOf(20, shared) })).toEqual({ kind: 'failed', problem: 'depth' })
  })
})

function deepOf(levels: number, within: unknown = 1): unknown {
  return levels === 0 ? within : { deep: deepOf(levels - 1, within) }
}
