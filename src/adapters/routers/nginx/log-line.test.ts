import { describe, expect, it } from 'vitest'
import type { LogLine } from '../../tools/log-counts.ts'
import { readLine } from './log-line.ts'
import { packed } from './words.ts'

const KEY = 'abc'
const USUAL = {
  service: packed('shop'),
  by: 'weight',
  release: packed('shop@1.0.0#a'),
  probe: '',
  told: '',
  status: '200',
  time: '0.012',
  method: 'GET',
  path: '/cart',
  length: '',
  sent: '34',
  completion: 'OK',
  type: 'text/html',
  instances: '127.0.0.1:4001',
  connects: '0.000',
  headers: '0.011',
  connection: '17',
}

const datagram = (of: Partial<typeof USUAL> = {}): string =>
  `<190>Nov 22 06:00:00 ${KEY}: ${JSON.stringify(Object.values({ ...USUAL, ...of }))}`

function lineOf(of: Partial<typeof USUAL> = {}, broken: 'reset' | 'timeout' | null = null): LogLine {
  const reading = readLine(datagram(of), KEY, () => broken)
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
      method: 'GET',
      path: '/cart',
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

  it.each<[string, Partial<typeof USUAL>, LogLine['end']]>([
    ['an error of the version itself', { status: '502' }, 'complete'],
    ['no connection', { status: '502', connects: '-', headers: '-' }, 'connect-failed'],
    ['no connection in time', { status: '504', connects: '-', headers: '-' }, 'connect-failed'],
    ['an instance that closed', { status: '502', headers: '-' }, 'reset'],
    ['an instance that is silent', { status: '504', headers: '-' }, 'timeout'],
    ['a client that left', { status: '499', headers: '-', completion: '' }, 'client-abort'],
    ['a client that left in the middle', { completion: '' }, 'client-abort'],
    ['a WebSocket that is over', { status: '101', completion: '' }, 'complete'],
  ])('tells %s from the rest', (_, of, end) => {
    expect(lineOf(of).end).toBe(end)
  })

  it('is of an answer that broke off when the error log said so', () => {
    const error = `<187>Nov 22 ${KEY}: 2026/11/22 06:00:00 [error] 7#7: *17 upstream prematurely closed connection while reading upstream, client: 127.0.0.1`
    expect(readLine(error, KEY, () => null)).toEqual({ kind: 'broken', connection: '17', how: 'reset' })
    expect(lineOf({ completion: '' }, 'reset').end).toBe('reset')
  })

  it('counts attempts before the one that answered', () => {
    const { retries, connectFailures, end } = lineOf({
      instances: '127.0.0.1:1, 127.0.0.1:2',
      connects: '-, 0.001',
      headers: '-, 0.002',
    })
    expect([retries, connectFailures, end]).toEqual([1, 1, 'complete'])
  })

  it('has no release where nginx answered by itself', () => {
    const { release, isClosed } = lineOf({
      instances: '',
      connects: '',
      headers: '',
      status: '503',
      told: 'SERVICE_CLOSED',
    })
    expect([release, isClosed]).toEqual([null, true])
  })

  it('is nothing without our key, or in another shape', () => {
    const none = () => null
    for (const text of [
      '',
      'x',
      datagram().replace(KEY, 'other'),
      `${KEY}: [`,
      `${KEY}: ["1",2]`,
      `${KEY}: {}`,
    ])
      expect(readLine(text, KEY, none)).toBeNull()
    expect(readLine(`${KEY}: ["id-1"]`, KEY, none)).toEqual({ kind: 'control', id: 'id-1' })
  })
})
