import { describe, expect, it } from 'vitest'
import type { LogLine } from '../../tools/log-counts.ts'
import type { Line } from '../../tools/log-file.ts'
import { type BrokenBy, readBroken, readLine, VERSION } from './log-line.ts'
import { packed } from './words.ts'

/** What many requests have in common, in the order of the line. */
const KIND = {
  service: packed('shop'),
  by: 'weight',
  release: packed('shop@1.0.0#a'),
  probe: '',
  told: '',
  status: '200',
  method: 'GET',
  path: '/cart',
  completion: 'OK',
  type: 'text/html',
  instances: '127.0.0.1:4001',
  limited: '',
}
const NUMBERS = { time: '0.012', sent: '34', connection: '17', at: '1763800000.123' }
const COURSE = { course: '0.000;0.011' }
const OTHER = { length: '', visit: '', copied: '' }
type Fields = typeof KIND & typeof NUMBERS & typeof COURSE & typeof OTHER

function written(of: Partial<Fields> = {}): string {
  const all: Fields = { ...KIND, ...NUMBERS, ...COURSE, ...OTHER, ...of }
  const part = (names: object) => Object.keys(names).map((name) => all[name as keyof Fields])
  const [kind, numbers, other] = [
    JSON.stringify(part(KIND)),
    part(NUMBERS).join(' '),
    JSON.stringify(part(OTHER)),
  ]
  return `\u001e${VERSION}${kind}\u001f${numbers} ${all.course}\u001f${other}`
}

/** Lines stand in the middle of others. */
function bytesOf(text: string): Line {
  const bytes = Buffer.from(`${written()}\n${text}\n`, 'latin1')
  return { bytes, from: bytes.length - text.length - 1, to: bytes.length - 1 }
}

const read = (text: string, brokenBy: BrokenBy) => readLine(bytesOf(text), brokenBy)

function lineOf(of: Partial<Fields> = {}, broken: 'reset' | 'timeout' | null = null): LogLine {
  const reading = read(written(of), () => broken)
  if (reading?.kind !== 'request') throw new Error('no request')
  return reading.line
}

describe('a log line of nginx', () => {
  it('tells all about a request', () => {
    expect(lineOf({ length: '5', by: 'rule' })).toEqual({
      service: 'shop',
      release: 'shop@1.0.0#a',
      by: 'rule',
      status: 200,
      ms: 12,
      route: 'GET /cart',
      bytesIn: 5,
      bytesOut: 34,
      end: 'complete',
      isLong: false,
      isProbe: false,
      isClosed: false,
      retries: 0,
      connectFailures: 0,
    })
  })

  it('tells which limit of the service turned a request away, and no release of a body that was too large', () => {
    const nowhere = { instances: '', course: ';' }
    expect(lineOf({ ...nowhere, status: '503', limited: 'requests' })).toMatchObject({
      release: null,
      limited: 'requests',
    })
    expect(lineOf({ ...nowhere, status: '429', limited: 'rate' }).limited).toBe('rate')
    expect(lineOf({ status: '413', course: '0.000;-' })).toMatchObject({ release: null, end: 'complete' })
    expect(lineOf({ status: '413' }), 'an answer of the version itself').toMatchObject({
      release: 'shop@1.0.0#a',
    })
  })

  it.each<[string, Partial<Fields>, LogLine['end']]>([
    ['an error of the version itself', { status: '502' }, 'complete'],
    ['no connection', { status: '502', course: '-;-' }, 'connect-failed'],
    ['no connection in time', { status: '504', course: '-;-' }, 'connect-failed'],
    ['an instance that closed', { status: '502', course: '0.000;-' }, 'reset'],
    ['an instance that is silent', { status: '504', course: '0.000;-' }, 'timeout'],
    ['a client that left', { status: '499', completion: '' }, 'client-abort'],
    [
      'a client that left before anybody was there',
      { status: '499', course: '-;', completion: '' },
      'client-abort',
    ],
    ['a client that left in the middle', { completion: '' }, 'client-abort'],
    ['a WebSocket that is over', { status: '101', completion: '' }, 'complete'],
  ])('tells %s from the rest', (_, of, end) => {
    expect(lineOf(of).end).toBe(end)
  })

  it('is of an answer that broke off when the error log said so of its connection and its instance', () => {
    const error =
      '2026/11/22 06:00:00 [error] 7#7: *17 upstream prematurely closed connection while reading upstream, client: 127.0.0.1, server: , request: "GET /cart HTTP/1.1", upstream: "http://127.0.0.1:4001/cart", host: "a"'
    expect(readBroken(bytesOf(error))).toEqual({ connection: 17, address: '127.0.0.1:4001', how: 'reset' })
    expect(readBroken(bytesOf('2026/11/22 06:00:00 [error] 7#7: *17 connect() failed'))).toBeNull()
    const reading = read(written(), (connection, address) =>
      connection === 17 && address === '127.0.0.1:4001' ? 'reset' : null,
    )
    expect(reading?.kind === 'request' && [reading.line.end, reading.atS]).toEqual(['reset', 1763800000.123])
  })

  it('counts attempts before the one that answered', () => {
    const { retries, connectFailures, end } = lineOf({
      instances: '127.0.0.1:1, 127.0.0.1:2',
      course: '-, 0.001;-, 0.002',
    })
    expect([retries, connectFailures, end]).toEqual([1, 1, 'complete'])
  })

  it('counts that nobody was there for a client that left meanwhile', () => {
    expect(lineOf({ status: '499', course: '-;', completion: '' }).connectFailures).toBe(1)
  })

  it('has no release where nginx answered by itself', () => {
    const { release, isClosed } = lineOf({
      instances: '',
      status: '503',
      told: 'SERVICE_CLOSED',
    })
    expect([release, isClosed]).toEqual([null, true])
  })

  it('tells of a copied request by its instance, and not by its copy, which took longer', () => {
    const id = 'a'.repeat(32)
    const copied = `9f86d081884c7d65;${id};0.004, 0.006;0.005, 0.020`
    expect(lineOf({ time: '9.999', copied })).toMatchObject({
      ms: 25,
      copied: { copying: '9f86d081884c7d65', id, ms: 10 },
    })
    const large = lineOf({ copied: '9f86d081884c7d65;;;' })
    expect([large.ms, large.copied?.id]).toEqual([12, null])
  })

  it.each([
    ['an answer', ['200', '0.001', '0.020'], { kind: 'answered', status: 200, ms: 20 }],
    ['an error of the shadow', ['502', '0.001', '0.020'], { kind: 'answered', status: 502, ms: 20 }],
    ['nobody there', ['502', '-', '-'], { kind: 'failed', by: 'connectFailures' }],
    ['no answer in time', ['504', '0.001', '-'], { kind: 'failed', by: 'timeouts' }],
    ['a connection that broke', ['502', '0.001', '-'], { kind: 'failed', by: 'resets' }],
    ['a copy that was not sent', ['503', '', ''], { kind: 'busy' }],
  ])('tells how a copy ended: %s', (_, [status, connects, heads], end) => {
    const fields = ['copy', packed('shop'), '9f86d081884c7d65', 'abc', status, connects, heads]
    const line = { service: 'shop', copying: '9f86d081884c7d65', id: 'abc', end }
    expect(read(`\u001e${JSON.stringify(fields)}`, () => null)).toEqual({ kind: 'copy', line })
  })

  it('is nothing in another shape, or without its beginning', () => {
    const none = () => null
    for (const text of [
      '',
      'x',
      written().slice(1),
      '\u001e[',
      '\u001e["1",2]',
      '\u001e{}',
      written().slice(0, -3),
      written().replace('"weight",', ''),
      written().replace(' 17 ', ' '),
      written().replace(' 17 ', ' x '),
      written().replace(' 17 ', '  '),
      written({ copied: 'x' }).replace(',"x"', ''),
      '\u001e\u001f',
    ])
      expect(read(text, none)).toBeNull()
    expect(read('\u001e["1763800000.123"]', none)).toEqual({ kind: 'control', atS: 1763800000.123 })
  })

  it('keeps requests of one kind apart in what is their own, and kinds in what they have in common', () => {
    const kinds = Array.from({ length: 5_000 }, (_, at) => `/p${at % 2_500}`)
    const lines = kinds.map((path, at) => lineOf({ path, sent: `${at + 1}` }))
    expect(lines.map(({ route }) => route)).toEqual(kinds.map((path) => `GET ${path}`))
    expect(lines.map(({ bytesOut }) => bytesOut)).toEqual(kinds.map((_, at) => at + 1))
    const escaped = lineOf({ path: '/a"b\\c', type: 'text/event-stream; x="y"' })
    expect([escaped.route, escaped.isLong]).toEqual(['GET /*', true])
  })

  it('of another version of Sluice is a request, of which no more is known', () => {
    for (const other of ['', '1', '3'])
      expect(read(written().replace(VERSION, other), () => null)).toEqual({ kind: 'foreign' })
  })

  it('is whole behind one whose writing was cut off', () => {
    expect(read(`${written().slice(0, 40)}${written({ status: '201' })}`, () => null)).toMatchObject({
      line: { status: 201 },
    })
  })
})
