import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maskCredentials, templateOf } from './template.ts'

const CASES: readonly (readonly [string, string])[] = [
  ['order 4711 of ada@example.com failed after 12ms', 'order <n> of <email> failed after <n>'],
  [
    "Cannot read properties of undefined (reading 'name')",
    'Cannot read properties of undefined (reading <str>)',
  ],
  ['connect ECONNREFUSED 127.0.0.1:5432', 'connect ECONNREFUSED <ip>'],
  ['dial tcp [::1]:6379: connect: connection refused', 'dial tcp <ip>: connect: connection refused'],
  ['user 3f2504e0-4f89-11d3-9a0c-0305e82c3301 not found', 'user <n> not found'],
  ['commit 9fceb02 is unknown', 'commit <n> is unknown'],
  ['duplicate key: E11000 in "shop.orders"', 'duplicate key: <n> in <str>'],
  ['GET https://api.example.com/v1/items?id=7 answered 503', 'GET <url> answered <n>'],
  ['open /srv/data/77/file-12.json: no such file', 'open /srv/data/<n>/file-<n>.json: no such file'],
  ['at 2026-11-21T10:00:00.123Z worker3 gave up', 'at <time> worker<n> gave up'],
  ['shop 1.10.0 is not ready', 'shop <n> is not ready'],
  ['ids 1, 2, 3, 4 are gone', 'ids <n> are gone'],
  ["can't find what doesn't exist", "can't find what doesn't exist"],
  ['login failed, password=hunter2!', 'login failed, password=<secret>'],
  ['401 with Bearer abc.def.ghi', '<n> with Bearer <secret>'],
  ['index out of range [5] with length 3', 'index out of range [<n>] with length <n>'],
]

describe('a template', () => {
  it.each(CASES)('of %s', (text, template) => expect(templateOf(text)).toBe(template))

  const template = (n: number, id: string, at: Date): string =>
    templateOf(
      `${at.toISOString()} order ${n} (${id}) of u${n}@example.com took ${n}.5s from /carts/${n}/items`,
    )

  it('is the same for the same line with other numbers, ids and times', () => {
    const line = fc.tuple(
      fc.nat(),
      fc.uuid(),
      fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
    )
    fc.assert(
      fc.property(line, line, (one, other) => {
        expect(template(...one)).toBe(template(...other))
      }),
    )
  })

  it('is the same for the same line with another hexadecimal id', () => {
    const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 8, maxLength: 40 })
    fc.assert(
      fc.property(hex, hex, (one, other) => {
        expect(templateOf(`trace ${one} is lost`)).toBe(templateOf(`trace ${other} is lost`))
      }),
    )
  })

  it('is short and quick to make, whatever the line is', () => {
    const begun = performance.now()
    for (const text of [
      'a'.repeat(1e7),
      '1 '.repeat(5e6),
      `"${"'`".repeat(1e6)}`,
      ':'.repeat(1e6),
      '@.'.repeat(1e6),
    ])
      expect(templateOf(text).length).toBeLessThanOrEqual(200)
    expect(performance.now() - begun).toBeLessThan(2000)
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => templateOf(text).length <= 200))
  })

  it('is well-formed text where it was cut', () => {
    expect(templateOf('🙂'.repeat(500)).isWellFormed()).toBe(true)
  })
})

describe('what looks like a credential', () => {
  it.each([
    ['token: abc', 'token: <secret>'],
    ['api_key="xyz"', 'api_key=<secret>"'],
    ['authorization=Basic Zm9vOmJhcg==', 'authorization=<secret>'],
    ['Authorization: Bearer q.w.e', 'Authorization: <secret>'],
    ['unexpected token in JSON', 'unexpected token in JSON'],
  ])('%s is masked where it has a value', (text, masked) => expect(maskCredentials(text)).toBe(masked))
})
