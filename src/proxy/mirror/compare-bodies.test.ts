import type { IncomingHttpHeaders } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { BodyComparison } from '../../core/shared/mirror.ts'
import { AnswerPrint } from './answer-print.ts'
import { BodyComparer } from './compare-bodies.ts'

const JSON_BODIES: BodyComparison = { kind: 'json', ignore: ['at'], ignoresVolatile: true }
const KEEP_BYTES = 4096

type Made = { text: string | Buffer; headers?: IncomingHttpHeaders; keepBytes?: number }
function printOf(bodies: BodyComparison, { text, headers = {}, keepBytes = KEEP_BYTES }: Made): AnswerPrint {
  const print = new AnswerPrint(bodies.kind, keepBytes)
  print.begin(200, { 'content-type': 'application/json; charset=utf-8', ...headers })
  const body = Buffer.from(text)
  for (let at = 0; at < body.length; at += 7) print.take(body.subarray(at, at + 7))
  return print
}
function compare(
  bodies: BodyComparison,
  a: Made | string,
  b: Made | string,
  comparer = new BodyComparer(bodies),
) {
  const [user, shadow] = [a, b].map((one) => printOf(bodies, typeof one === 'string' ? { text: one } : one))
  return user === undefined || shadow === undefined ? null : comparer.compare(user, shadow)
}

describe('bodies of a pair', () => {
  it('are the same when nobody asks', () => {
    expect(compare({ kind: 'off' }, 'a', 'b')).toBe('same')
  })

  it('are compared byte for byte', () => {
    expect(compare({ kind: 'exact' }, '{"a":1}', '{"a":1}')).toBe('same')
    expect(compare({ kind: 'exact' }, '{"a":1}', '{ "a": 1 }')).toBe('different')
    expect(compare({ kind: 'exact' }, '', '')).toBe('same')
  })

  it('are compared as JSON, packed or not', () => {
    const user = '{"a":1,"at":1}'
    const text = '{"at":2,"a":1}'
    expect(compare(JSON_BODIES, user, text)).toBe('same')
    for (const [encoding, pack] of [
      ['gzip', gzipSync],
      ['br', brotliCompressSync],
      ['deflate', deflateSync],
    ] as const)
      expect(
        compare(JSON_BODIES, user, { text: pack(text), headers: { 'content-encoding': encoding } }),
      ).toBe('same')
    expect(compare(JSON_BODIES, user, '{"a":2,"at":2}')).toBe('different')
  })

  it('differ where one is JSON and the other is not, or does not hold what it says', () => {
    const html = { text: '<p>', headers: { 'content-type': 'text/html' } }
    expect(compare(JSON_BODIES, '{}', html)).toBe('different')
    expect(compare(JSON_BODIES, '{}', '{')).toBe('different')
    expect(compare(JSON_BODIES, html, { ...html, text: '<b>' })).toBe('different')
  })

  it('are not compared where they are too large, or cannot be unpacked', () => {
    const large = (end: string) => `"${'x'.repeat(KEEP_BYTES)}${end}"`
    expect(compare(JSON_BODIES, large('a'), large('b'))).toBe('unknown')
    expect(compare(JSON_BODIES, large('a'), large('a'))).toBe('same')
    const bomb = {
      text: gzipSync(Buffer.alloc(10_000_000, 0x20)),
      headers: { 'content-encoding': 'gzip' },
      keepBytes: 20_000,
    }
    expect(compare(JSON_BODIES, '{}', bomb)).toBe('unknown')
    expect(compare(JSON_BODIES, '{}', { text: 'x', headers: { 'content-encoding': 'zstd' } })).toBe('unknown')
    expect(compare(JSON_BODIES, '{}', { text: 'broken', headers: { 'content-encoding': 'gzip' } })).toBe(
      'unknown',
    )
  })

  it('are read no faster than users can bear, and again in the next second', () => {
    let now = 0
    const comparer = new BodyComparer(JSON_BODIES, () => now)
    const body = (end: number) => ({ text: `["${'x'.repeat(500_000)}",${end}]`, keepBytes: 1_000_000 })
    const verdicts = [1, 2, 3].map((turn) => compare(JSON_BODIES, body(0), body(turn), comparer))
    expect(verdicts).toEqual(['different', 'different', 'unknown'])
    now = 1000
    expect(compare(JSON_BODIES, body(0), body(1), comparer)).toBe('different')
  })
})
