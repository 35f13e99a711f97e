import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonRules, sameJson } from './same-json.ts'

const rules = (ignore: string[] = [], ignoresVolatile = true) => jsonRules(ignore, ignoresVolatile)

describe('two values of JSON', () => {
  it('are the same in any order of their fields', () => {
    const [a, b] = ['{"a":1,"b":{"c":[1,2],"d":null}}', '{"b":{"d":null,"c":[1,2]},"a":1}']
    expect(sameJson(JSON.parse(a), JSON.parse(b), rules())).toBe('same')
  })

  it.each([
    [1, 2],
    [1, '1'],
    [
      [1, 2],
      [2, 1],
    ],
    [[1], [1, 2]],
    [{ a: 1 }, { a: 1, b: undefined }],
    [{ 0: 'a' }, ['a']],
    [null, {}],
    [true, false],
    [{}, { length: 0 }],
  ])('differ: %j and %j', (a, b) => {
    expect(sameJson(a, b, rules())).toBe('different')
    expect(sameJson(b, a, rules())).toBe('different')
  })

  it('are the same but for a field that is named, wherever it stands, also where only one has it', () => {
    const a = { id: 1, items: [{ id: 2, name: 'x' }] }
    const b = { items: [{ id: 9, name: 'x' }] }
    expect(sameJson(a, b, rules(['id']))).toBe('same')
    expect(sameJson(a, { ...b, items: [{ id: 9, name: 'y' }] }, rules(['id']))).toBe('different')
  })

  it('are the same but for a path, and only there', () => {
    const of = (top: number, inner: number) => ({ at: top, items: [{ at: inner }] })
    expect(sameJson(of(1, 2), of(1, 3), rules(['items.*.at']))).toBe('same')
    expect(sameJson(of(1, 2), of(1, 3), rules(['items.0.at']))).toBe('same')
    expect(sameJson(of(1, 2), of(1, 3), rules(['items.1.at']))).toBe('different')
    expect(sameJson(of(1, 2), of(2, 2), rules(['items.*.at']))).toBe('different')
  })

  it('are the same but for times and ids that are new each time, unless they are compared', () => {
    const at = (minute: number) => ({ at: `2026-11-22T05:${minute}:00.123Z` })
    const id = (end: string) => ({ id: `6f1c0a52-7a3e-4c55-9d5e-00000000000${end}` })
    expect(sameJson([at(10), id('a')], [at(11), id('b')], rules())).toBe('same')
    expect(sameJson(at(10), at(11), rules([], false))).toBe('different')
    expect(sameJson(at(10), { at: 'never' }, rules())).toBe('different')
  })

  it('are left alone where they are nested deeper than anybody looks, whoever sends them', () => {
    const deep = (levels: number, end: string): unknown =>
      JSON.parse(`${'['.repeat(levels)}${end}${']'.repeat(levels)}`)
    expect(sameJson(deep(50_000, '1'), deep(50_000, '2'), rules())).toBe('unknown')
    expect(sameJson(deep(50, '1'), deep(50, '2'), rules())).toBe('different')
  })

  it('are never mixed up with what objects have by themselves', () => {
    const [a, b] = ['{"__proto__":{"x":1}}', '{"__proto__":{"x":2}}']
    expect(sameJson(JSON.parse(a), JSON.parse(b), rules())).toBe('different')
    expect(sameJson(JSON.parse('{"constructor":1}'), {}, rules())).toBe('different')
  })

  it('are the same as themselves, and with another value anywhere they are not', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const copy = JSON.parse(JSON.stringify(value))
        expect(sameJson(JSON.parse(JSON.stringify(value)), copy, rules())).toBe('same')
        expect(sameJson({ value }, { value: [value, 0] }, rules())).toBe('different')
      }),
    )
  })
})
